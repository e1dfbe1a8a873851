import { AvroSchemaError, avroColumns } from '../api/avro-columns.ts';
import { readText } from './manifest.ts';
import { printable } from './printable.ts';
import { commandLine, UsageError } from './usage.ts';
import { toYaml } from './yaml.ts';

const HELP = `gameanalytics columns FILE

Prints the columns that a manifest names of Avro records (events.columns). FILE is their schema in JSON; a schema registry gives it:

  curl http://registry:8081/subjects/game.matches-value/versions/latest/schema > schema.json
`;

/** Prints the columns of an Avro schema. Fields that no column can be made of are named on stderr. */
export async function columns(args: string[]): Promise<void> {
  const line = commandLine(args, HELP);
  if (!line) return;
  const { columns, leftOut } = readColumns(line.file, await readText(line.file));
  for (const { name, why } of leftOut) process.stderr.write(`${printable(`${name} is left out: ${why}`)}\n`);
  process.stdout.write(toYaml({ columns }));
}

function readColumns(file: string, text: string): ReturnType<typeof avroColumns> {
  try {
    return avroColumns(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) throw new UsageError(`${file} is not JSON: ${error.message}`);
    if (error instanceof AvroSchemaError)
      throw new UsageError(`${file} is not of Avro records: ${error.message}.`);
    throw error;
  }
}
