import { readManifest } from './manifest.ts';
import { commandLine } from './usage.ts';

const HELP = `gameanalytics validate FILE

Checks a GameAnalytics manifest. Says everything that is wrong with it, each with its path and what is allowed, and exits with 2.
`;

export async function validate(args: string[]): Promise<void> {
  const line = commandLine(args, HELP);
  if (!line) return;
  const { metadata, spec } = await readManifest(line.file);
  const boards = spec.leaderboards.map(({ name }) => name).join(', ');
  process.stdout.write(`${line.file} is valid: ${metadata.name} with the leaderboards ${boards}\n`);
}
