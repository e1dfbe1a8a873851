import { describe, expect, it } from 'vitest';
import { formatPeeked } from '../../../cli/peek.ts';
import { type PeekedEvent, toEvents } from '../../../local/sql-session/peek.ts';
import { resource } from '../../../testkit/resources/resource.ts';
import { folder, gameanalytics, VALID } from './gameanalytics.ts';

describe('gameanalytics peek', () => {
  it.each(['0', '1001', '-1', 'all', '2.5', ''])('refuses --records=%s', async (records) => {
    const cwd = folder({ 'game.yaml': VALID });
    const { code, err } = await gameanalytics(['peek', 'game.yaml', `--records=${records}`], cwd);
    expect({ code, err }).toEqual({
      code: 2,
      err: `--records takes a number from 1 to 1000, not '${records}'\n`,
    });
  });

  it('says what to do when the pipeline does not run', async () => {
    const cwd = folder({ 'game.yaml': VALID });
    const { code, err } = await gameanalytics(['peek', 'game.yaml'], cwd);
    expect(code).toBe(1);
    expect(err).toMatch(/^game does not run on this machine/);
  });
});

const TIME = String(Date.UTC(2026, 10, 28, 12, 4));
const PLACE = { partition: '0', offset: '7', producedAt: '2026-11-28 12:04:01.000' };
const EVENT = { record: '(anna, 5)', user: 'anna', team: 't1', score: '5', timeMillis: TIME };

function table(events: PeekedEvent[], { width = 200, spec = {} } = {}): string[] {
  return formatPeeked(resource(spec), events, width).trimEnd().split('\n');
}

describe('the table of peek', () => {
  it('shows the message, the event and whether it counts, and how many do not for each reason', () => {
    const events = [
      { ...PLACE, message: '{"a": 1}', event: EVENT },
      { ...PLACE, offset: '8', message: null, reason: 'malformed' },
      {
        ...PLACE,
        offset: '9',
        message: 'x',
        event: { ...EVENT, user: null, timeMillis: '5' },
        reason: 'no_user',
      },
      { ...PLACE, offset: '10', message: 'y\n\u001b[2J', reason: 'malformed' },
    ];
    expect(table(events)).toEqual([
      'part | offset | in Kafka       | message      | user | team | score | happened            | counts',
      '-----+--------+----------------+--------------+------+------+-------+---------------------+--------------',
      '   0 |      7 | 11-28 12:04:01 | {"a": 1}     | anna | t1   |     5 | 2026-11-28 12:04:00 | yes',
      '   0 |      8 | 11-28 12:04:01 | NULL         |      |      |       |                     | no: malformed',
      '   0 |      9 | 11-28 12:04:01 | x            | NULL | t1   |     5 | 5                   | no: no_user',
      '   0 |     10 | 11-28 12:04:01 | y\\n\\u001b[2J |      |      |       |                     | no: malformed',
      '1 of 4 count',
      '2 do not count, malformed: no event is in the message, or several objects or arrays one after the other',
      '1 does not count, no_user: user_id is missing, or no text',
    ]);
  });

  it.each([120, 160, 250])('is no wider than %i columns, whatever is in a message', (width) => {
    const long = { ...EVENT, user: '🏆'.repeat(300), team: 't'.repeat(300), record: '日本'.repeat(300) };
    const columns = [{ name: 'player', type: 'STRING' }];
    const spec = {
      events: { columns, fields: { userId: 'player', score: '1', time: '5' } },
      leaderboards: [{ name: 'top', type: 'TopPlayers' }],
    };
    const lines = table([{ ...PLACE, message: '🏆x'.repeat(1000), event: long }], { width, spec });
    const head = lines[1]!.length;
    expect(head).toBeLessThanOrEqual(width);
    expect(lines[0]).toMatch(/message +\| decoded +\| user +\| score/);
    expect(lines[2]).toContain('…');
  });

  it('says so when the topic is empty', () => {
    expect(table([])).toEqual(['The topic has no records.']);
  });
});

describe('rows of peek', () => {
  const row = (expected: number, eventOffset: string | null, reason: string | null = null) => [
    ...['0', '7', PLACE.producedAt, 'text', String(expected), eventOffset],
    ...(eventOffset === null ? [null, null, null, null, null] : ['(anna, 5)', 'anna', 't1', '5', TIME]),
    reason,
  ];
  const reasons = (rows: (string | null)[][]) =>
    toEvents(rows).map(({ event, reason }) => [event?.user, reason]);

  it('are an event each, or a message that gives none', () => {
    expect(reasons([row(1, '7')])).toEqual([['anna', undefined]]);
    expect(reasons([row(1, '7', 'no_time')])).toEqual([['anna', 'no_time']]);
    expect(reasons([row(1, null)])).toEqual([[undefined, 'malformed']]);
  });

  it('are also malformed where the job counts more events than it decodes', () => {
    expect(reasons([row(2, '7'), row(2, '7')])).toEqual([
      ['anna', undefined],
      ['anna', undefined],
    ]);
    expect(reasons([row(2, '7')])).toEqual([
      ['anna', undefined],
      [undefined, 'malformed'],
    ]);
  });
});
