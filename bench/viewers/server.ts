import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import type { Column } from '../../contract/board.ts';
import { LiveBoard } from '../../dashboard/boards/live-board.ts';
import { EventsWatch } from '../../dashboard/events-watch.ts';
import { Stats } from '../../dashboard/stats/stats.ts';
import { TopicState } from '../../dashboard/topic-state.ts';
import { Metrics } from '../../dashboard/web/metrics.ts';
import { createServer } from '../../dashboard/web/server.ts';
import { definitionsOf } from '../../testkit/dashboard/dashboard.ts';
import { resource } from '../../testkit/resources/resource.ts';

/*
 * The dashboard's server alone, with the four boards of the demo, each of which changes before every tick:
 * half of its rows get another score, as in a lively game. It prints its port and serves until its standard
 * input ends.
 */

const TICK_MILLIS = 500;
const HOUR = 3_600_000;

async function main(): Promise<void> {
  const boards = definitionsOf(resource()).map((definition) => new LiveBoard(definition));
  for (const board of boards) {
    board.publish(board.content);
    write(board, 0);
  }
  const now = Date.now;
  const metrics = new Metrics(boards, now);
  const stats = new TopicState(new Stats());
  const log = pino({ level: 'silent' });
  const app = await createServer({
    title: 'Viewers',
    boards,
    histories: new Map(),
    stats,
    events: new EventsWatch(),
    metrics,
    log,
    now,
    maxSockets: 100_000,
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  let round = 0;
  setInterval(() => {
    round += 1;
    for (const board of boards) write(board, round);
  }, TICK_MILLIS);
  process.stdin.on('end', () => process.exit(0)).resume();
  process.stdout.write(`${(app.server.address() as AddressInfo).port}\n`);
}

/** Writes a board of which every other row has the scores of the round, and the others those of the start. */
function write({ content, definition }: LiveBoard, round: number): void {
  const nowMillis = Date.now();
  const { period, identity, columns, size, name, digest } = definition;
  const rows = Array.from({ length: size }, (_, index) => ({
    rnk: index + 1,
    ...Object.fromEntries(identity.map((field) => [field, `ID-${index + 1}-of-${name}`])),
    ...Object.fromEntries(
      columns.map((column) => [
        column.name,
        valueIn(column, index + 1, 1000 + (index % 2 === 0 ? round : 0)),
      ]),
    ),
  }));
  const key = { season_start: period?.kind === 'season' ? nowMillis - (nowMillis % HOUR) : 0 };
  const value = { ...key, digest, as_of: nowMillis - (nowMillis % 5000), rows };
  content.apply(
    {
      key: Buffer.from(JSON.stringify(key)),
      value: Buffer.from(JSON.stringify(value)),
      timestampMillis: nowMillis,
    },
    nowMillis,
  );
}

function valueIn({ type }: Column, rank: number, score: number): string | number {
  if (type === 'text') return `Amaranth Battalion ${rank}`;
  if (type === 'time') return Date.now() - 1000 * rank;
  return type === 'integer' ? score - rank : (score % 100) / 100;
}

await main();
