import { isPlayerId, readPlayers, writePlayers } from '../local/players.ts';
import { readManifest } from './manifest.ts';
import { findPipeline, PIPELINE_HELP, PIPELINE_OPTIONS } from './pipeline-gateway.ts';
import { printable } from './printable.ts';
import { formatTable } from './table.ts';
import { fileAndWords, UsageError } from './usage.ts';

const HELP = `gameanalytics players FILE [ACTION ID...] [options]

Prints the players that are hidden or erased in a pipeline that runs on this machine, or changes who is. The page
follows at once. The manifest must have players: {}.

  hide ID...              hide these players from the boards
  erase ID...             the same, and say that nothing of them is to be kept
  show ID...              show them again
${PIPELINE_HELP}`;

/** What a player is after each action. */
const ACTIONS = new Map([
  ['hide', 'hidden'],
  ['erase', 'erased'],
  ['show', undefined],
] as const);

export async function players(args: string[]): Promise<void> {
  const line = fileAndWords(args, HELP, PIPELINE_OPTIONS);
  if (!line) return;
  const [action, ...ids] = line.words;
  if (action !== undefined && !isAction(action))
    throw new UsageError(
      `'${action}' is not an action: there are ${[...ACTIONS.keys()].join(', ')}.\n\n${HELP}`,
    );
  if (action && ids.length === 0) throw new UsageError(`Name a player to ${action}.\n\n${HELP}`);
  for (const id of ids)
    if (!isPlayerId(id)) throw new UsageError(`An id has from 1 to 256 characters, not '${id}'.`);
  const resource = await readManifest(line.file);
  if (!resource.spec.players)
    throw new UsageError(`${line.file} has no spec.players, so nobody can be hidden. Add players: {} to it.`);
  const { bootstrapServers } = await findPipeline(resource, line.values);
  if (!action) {
    const states = await readPlayers(resource, bootstrapServers);
    const columns = ['player', 'state'].map((name) => ({ name, isNumber: false }));
    process.stdout.write(states.size === 0 ? 'No player is hidden.\n' : formatTable(columns, [...states]));
    return;
  }
  const state = ACTIONS.get(action);
  await writePlayers(resource, bootstrapServers, ids, state);
  for (const id of ids) process.stdout.write(`${printable(id)} is ${state ?? 'shown'}\n`);
}

type Action = 'hide' | 'erase' | 'show';

function isAction(word: string): word is Action {
  return ACTIONS.has(word as Action);
}
