import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { GameAnalytics } from '../../api/gameanalytics.ts';
import { parseGameAnalytics } from '../../api/parse.ts';
import { eachReason } from '../../contract/stats.ts';
import type { FlinkCluster } from '../../local/flink/cluster.ts';
import { type ResultRow, type SqlGateway, startSqlGateway } from '../../local/sql-check/gateway.ts';
import { peek } from '../../local/sql-session/peek.ts';
import { openPipelineSession, type PipelineSession } from '../../local/sql-session/session.ts';
import { expectBoardsToEqualOracle, readEvents } from '../../testkit/oracle/boards.ts';
import type { CountedEvent, EventRecord, PointsOf, ValueOf } from '../../testkit/oracle/oracle.ts';
import { startTestCluster, type TestCluster } from '../../testkit/pipeline/test-cluster.ts';
import { newestByKey, readTopic } from '../../testkit/pipeline/topic.ts';
import { gameMessages, type Message, produce, timePasses } from '../../testkit/streams/events.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 10, 28, 12, 4);
const PARTITIONS = 2;

/** An event as ours are; a record that only lets time pass has nothing but a time. */
interface Play {
  user_id?: string | undefined;
  team_id?: string | undefined;
  team_name?: string | undefined;
  score?: number | undefined;
  event_time_millis: number;
}

/** A record of an example's topic, written and read without the code that is tested. */
interface Form {
  write(play: Play, id: number): string;
  /** Undefined: it is no event. Of games without teams, all are of one team without a name. */
  read(text: string): Partial<Play> | undefined;
  /** Records that do not count, or that are hard to read. */
  hostile: string[];
  where?: Record<string, (event: CountedEvent) => boolean>;
  by?: Record<string, ValueOf>;
  of?: Record<string, PointsOf>;
}

/** Countries that no map has, and what is none. */
const COUNTRIES = [
  `"><script>alert('&')</script>`,
  "'; DROP TABLE x; --",
  'c'.repeat(10_000),
  `${'🏆'.repeat(256)}!`,
  'line\nbreak\t\u0000',
  ' ',
  '',
  null,
  5,
  true,
  { code: 'NO' },
  ['NO', 'SE'],
];

/** Who plays for the country of that place. */
const playerOf = (place: number) => `C${place}`;

function countryOf({ user }: CountedEvent): string | null {
  if (user === 'H') return null;
  if (!user.startsWith('C')) return fromNorway(user) ? 'NO' : 'SE';
  const country = COUNTRIES[Number(user.slice(1))] ?? null;
  return country === null || typeof country === 'string' ? country : JSON.stringify(country);
}

const fromNorway = (user = '') => user.charCodeAt(user.length - 1) % 2 === 1;

/** The last is of the example that has ids. */
const FORMS: Record<string, Form> = {
  'plain-json': {
    write: ({ user_id, score, event_time_millis }) =>
      JSON.stringify({
        player: user_id,
        points: score,
        at: event_time_millis / 1000,
        country: fromNorway(user_id) ? 'NO' : 'SE',
      }),
    read: readJson(({ player, points, at }) => ({
      user_id: player,
      team_id: 'none',
      score: wholeNumber(points, 2 ** 31),
      event_time_millis: Math.trunc(Math.round(Number(at) * 1e6) / 1e3),
    })),
    hostile: [
      ...['1e300', '1795877045123', '-5', '"noon"', 'null', '[]', '{}', 'true'].map(
        (at) => `{"player": "H", "points": 5, "at": ${at}}`,
      ),
      ...['4294967296', '-3', '"many"', '[7]', '1e300', 'null'].map(
        (points) => `{"player": "H", "points": ${points}, "at": ${START / 1000}}`,
      ),
      `{"points": 5, "at": ${START / 1000}}`,
      `{"player": "H", "points": "7", "at": "${START / 1000}"}`,
      'no json',
      ...COUNTRIES.map((country, place) =>
        JSON.stringify({ player: playerOf(place), points: 5, at: START / 1000, country }),
      ),
    ],
    by: { 'by-country': countryOf },
    where: { norway: ({ user }) => fromNorway(user) && !/^[HC]/.test(user) },
  },
  'nested-json': {
    write: ({ user_id, team_id, team_name, score, event_time_millis }, id) =>
      JSON.stringify({
        playerId: user_id,
        clan: { id: team_id, tag: team_name },
        result: { kills: score && Math.floor(score / 3), ...(score && { assists: score % 3 }) },
        playedAt: isoTime(event_time_millis, OFFSETS[id % OFFSETS.length] ?? 0),
      }),
    read: readJson(({ playerId, clan, result, playedAt }) => ({
      user_id: playerId,
      team_id: clan?.id,
      team_name: clan?.tag,
      score: 10 * result?.kills + 3 * (result?.assists ?? 0),
      event_time_millis: readIsoTime(playedAt),
    })),
    hostile: [
      ...[
        'yesterday',
        '2026-11-28',
        '2026-13-45T10:00:00Z',
        '2026-11-28T25:00:00Z',
        '2026-11-28T12:30:00+1',
        `2026-11-28T12:30:00.${'1'.repeat(5000)}Z`,
        '',
      ].map((playedAt) =>
        JSON.stringify({ playerId: 'H', clan: { id: 'C' }, result: { kills: 1 }, playedAt }),
      ),
      ...['null', '[]', '"Otters"', '{}', '{"id": null}', `{"id": "${'c'.repeat(300)}"}`].map(
        (clan) =>
          `{"playerId": "H", "clan": ${clan}, "result": {"kills": 1}, "playedAt": "2026-11-28T12:30:00Z"}`,
      ),
      ...['null', '[1, 2]', '{"kills": -4}', '{"assists": 2}', `{"kills": [${'1,'.repeat(50_000)}1]}`].map(
        (result) =>
          `{"playerId": "H", "clan": {"id": "C"}, "result": ${result}, "playedAt": "2026-11-28T12:30:00Z"}`,
      ),
      `{"playerId": "${'p'.repeat(700_000)}", "clan": {"id": "C"}, "result": {"kills": 1}, "playedAt": "2026-11-28T12:30:00Z"}`,
    ],
  },
  // With scores in eighths, whose third decimal is rounded.
  'beam-csv': {
    write: ({ user_id = '', team_name = '', score, event_time_millis }) =>
      [
        user_id,
        team_name,
        score === undefined ? '' : score / 8,
        event_time_millis,
        new Date(event_time_millis).toISOString(),
      ].join(','),
    read: (text) => {
      const [user_id, team, score, time] = text.split(',');
      return {
        user_id,
        team_id: team,
        team_name: team,
        score: Number(score || Number.NaN),
        event_time_millis: Number(time || Number.NaN),
      };
    },
    hostile: [
      '',
      ',,,',
      'H,Otters',
      'H,Otters,many,1795877045123,',
      `H,Otters,-4,${START},`,
      '"H,Otters',
      '\u0000',
    ],
    of: { best: ({ score }) => 3 * score },
  },
  cloudevents: {
    write: ({ user_id, team_id, team_name, score, event_time_millis }, id) =>
      JSON.stringify({
        specversion: '1.0',
        id: `game-${id}`,
        source: '/match/7',
        type: 'game.scored',
        time: isoTime(event_time_millis, 0),
        data: { player: user_id, team: { id: team_id, name: team_name }, score },
      }),
    read: readJson(({ type, time, data }) => ({
      user_id: data?.player,
      team_id: data?.team?.id,
      team_name: data?.team?.name,
      score: type === 'game.scored' ? data?.score : undefined,
      event_time_millis: readIsoTime(time),
    })),
    hostile: [
      '{"id": "x-1", "type": "game.started", "time": "2026-11-28T12:30:00Z", "data": {"player": "H", "team": {"id": "T"}, "score": 5}}',
      '{"type": "game.scored", "time": "2026-11-28T12:30:00Z", "data": {"player": "H", "team": {"id": "T"}, "score": 5}}',
      '{"id": "", "type": "game.scored", "time": "2026-11-28T12:30:00Z", "data": {"player": "H", "team": {"id": "T"}, "score": 5}}',
      '{"id": "x-2", "type": "game.scored", "time": "2026-11-28T12:30:00Z", "data": "H"}',
    ],
  },
};

/** Bytes that are no UTF-8, and that end within a character. */
const NO_TEXT = [[0xf0], [0xe2, 0x28], [0x22, 0xf0, 0x9f], [0xff, 0xfe]].map((bytes) => Buffer.from(bytes));

const OFFSETS = [0, 60, -300, 345, -570];

/** With an offset of so many minutes from UTC. */
function isoTime(millis: number, offset: number): string {
  const local = new Date(millis + offset * MINUTE).toISOString().slice(0, -1);
  const clock = new Date(Math.abs(offset) * MINUTE).toISOString().slice(11, 16);
  return offset === 0 ? `${local}Z` : `${local}${offset < 0 ? '-' : '+'}${clock}`;
}

function readIsoTime(text: unknown): number {
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(String(text));
  return isTime ? Date.parse(String(text)) : Number.NaN;
}

function wholeNumber(value: unknown, below: number): number | undefined {
  const number = typeof value === 'object' ? Number.NaN : Math.trunc(Number(value ?? Number.NaN));
  return Math.abs(number) < below ? number : undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: what is in a topic can have any form
function readJson(read: (record: any) => Record<string, unknown>): Form['read'] {
  return (text) => {
    try {
      return read(JSON.parse(text));
    } catch {
      return undefined;
    }
  };
}

/** The records as ours, without the copies of those that count. */
function decoded(name: string, records: EventRecord[]): EventRecord[] {
  const form = FORMS[name] as Form;
  const { counted } = name === 'cloudevents' ? splitCopies(records) : { counted: records };
  return counted.map(({ value, producedAt }) => ({
    value: JSON.stringify((value !== null && form.read(value)) || null),
    producedAt,
  }));
}

/** Of valid CloudEvents with the same id, one that came less than an hour before makes it a copy. */
function splitCopies(records: EventRecord[]): { counted: EventRecord[]; copies: number } {
  const newest = new Map<string, number>();
  const valid = records.filter(({ value }) => value !== null && isScored(value));
  const counted = valid.filter(({ value, producedAt }) => {
    const { id } = JSON.parse(value as string);
    const before = newest.get(id);
    newest.set(id, producedAt);
    return before === undefined || producedAt - before >= HOUR;
  });
  return { counted, copies: valid.length - counted.length };
}

function isScored(value: string): boolean {
  try {
    const { id, data } = JSON.parse(value);
    return typeof id === 'string' && id !== '' && data?.score !== undefined;
  } catch {
    return false;
  }
}

async function readExample(name: string): Promise<GameAnalytics> {
  const manifest = parse(await readFile(`examples/own-events/${name}.yaml`, 'utf8'));
  Object.assign(manifest.spec.events, { topic: `topic-of-${name}`, partitions: PARTITIONS });
  if (name === 'beam-csv') {
    manifest.spec.events.scoreDecimals = 2;
    manifest.spec.events.columns.find(({ type }: { type: string }) => type === 'INT').type = 'DECIMAL(9, 3)';
    manifest.spec.leaderboards.push(
      { name: 'best', type: 'TopPlayers', score: 'Best', of: 'score * 3' },
      { name: 'mvps', type: 'TeamMvps' },
      { name: 'hot', type: 'HotStreakers' },
    );
  }
  const { resource, problems } = parseGameAnalytics(manifest);
  if (!resource) throw new Error(JSON.stringify(problems));
  return resource;
}

/** Part of the simulated game, in the form of an example; the ids of events begin at `firstId`. */
function played(name: string, seed: number, from: number, firstId: number): Message[] {
  return gameMessages(seed, from, 400).map((message, i) => ({
    ...message,
    value: (FORMS[name] as Form).write(JSON.parse(message.value), firstId + i),
  }));
}

function passed(name: string, millis: number): Message[] {
  return timePasses(millis, PARTITIONS).map((message) => ({
    ...message,
    value: (FORMS[name] as Form).write({ event_time_millis: millis }, millis + (message.partition ?? 0)),
  }));
}

describe('records as games have them', () => {
  let cluster: TestCluster;
  let gateway: SqlGateway;
  let job: FlinkCluster | undefined;
  const never = new AbortController().signal;
  beforeAll(async () => {
    cluster = await startTestCluster();
    gateway = await startSqlGateway(() => undefined, never);
  });
  afterAll(async () => {
    await job?.stop();
    await gateway?.close();
    await cluster?.stop();
  });

  /** Where a session of the gateway finds the pipelines. */
  const place = () => ({
    bootstrapServers: cluster.broker.bootstrapServers,
    stateDir: cluster.runtime.stateDir,
  });

  async function failures(): Promise<unknown[]> {
    const response = await fetch(`${job?.url}/jobs/${(await job?.job())?.id}/exceptions`);
    const { exceptionHistory } = (await response.json()) as { exceptionHistory: { entries: unknown[] } };
    return exceptionHistory.entries;
  }

  /** What peek says of all records is what the job's statistics say. */
  async function expectPeekedAsCounted(name: string, resource: GameAnalytics): Promise<void> {
    const events = await peek(gateway, resource, place(), 5000, never);
    const records = await readTopic(cluster.kafka, resource.spec.events.topic as string);
    expect(new Set(events.map(({ partition, offset }) => `${partition}:${offset}`)).size).toBe(
      records.length,
    );
    const counts = eachReason(({ id }) => events.filter(({ reason }) => reason === id).length);
    expect(counts).toMatchObject({ malformed: expect.toSatisfy((n) => n > 0) });
    const counted = async () => {
      const slots = newestByKey(await readTopic(cluster.kafka, `${name}-pipeline-stats`)).values();
      const all = [...slots].map((slot) => JSON.parse(slot));
      return eachReason(({ countColumn }) => all.reduce((sum, slot) => sum + (slot[countColumn] ?? 0), 0));
    };
    await expect.poll(counted, { timeout: 180_000, interval: 1000 }).toEqual(counts);
  }

  /** How many copies the statistics of the CloudEvents say that there were. */
  async function countedCopies(): Promise<number> {
    const slots = newestByKey(await readTopic(cluster.kafka, 'cloudevents-pipeline-stats')).values();
    return [...slots].reduce((total, slot) => total + JSON.parse(slot).duplicate_events, 0);
  }

  async function expectBoards(name: string, resource: GameAnalytics, until: number): Promise<void> {
    await expectBoardsToEqualOracle(cluster.kafka, resource, until, {
      ...(FORMS[name]?.where && { where: FORMS[name].where }),
      ...(FORMS[name]?.by && { by: FORMS[name].by }),
      ...(FORMS[name]?.of && { of: FORMS[name].of }),
      decode: (records) => decoded(name, records),
    });
  }

  it.each(Object.keys(FORMS))(
    'examples/own-events/%s.yaml counts its records and a game of them, and no other record stops it',
    async (name) => {
      const resource = await readExample(name);
      const topic = resource.spec.events.topic as string;
      await job?.stop();
      job = await cluster.startJob(resource);
      const own = (await readFile(`examples/own-events/${name}.records`, 'utf8')).trim().split('\n');
      const hostile = FORMS[name]?.hostile ?? [];
      const asMessages = (values: string[], timestamp: number) =>
        values.map((value) => ({ key: 'own', value, timestamp }));
      await produce(cluster.kafka, topic, asMessages(own, START));
      await produce(cluster.kafka, topic, played(name, 1, START, 0));
      await produce(cluster.kafka, topic, asMessages(hostile, START + 2 * MINUTE));
      const binary = NO_TEXT.map((value) => ({ key: 'own', value, timestamp: START + 2 * MINUTE }));
      await produce(cluster.kafka, topic, binary);
      await produce(cluster.kafka, topic, played(name, 2, START + 10 * MINUTE, 1000));
      const end = START + 30 * MINUTE;
      await produce(cluster.kafka, topic, passed(name, end));
      await expectBoards(name, resource, end);
      expect(await failures()).toEqual([]);
      await expectPeekedAsCounted(name, resource);
    },
  );

  // The job is that of the last example.
  it('an id counts once within its time, over a failure of the job too', async () => {
    const resource = await readExample('cloudevents');
    const topic = resource.spec.events.topic as string;
    const later = (messages: Message[], millis: number) =>
      messages.map((message) => ({ ...message, timestamp: message.timestamp + millis }));
    const first = played('cloudevents', 3, START + 2 * HOUR, 5000);
    await produce(cluster.kafka, topic, [...first, ...later(first.slice(0, 50), 1000)]);
    await produce(cluster.kafka, topic, passed('cloudevents', START + 3 * HOUR));
    await expectBoards('cloudevents', resource, START + 3 * HOUR);
    job?.taskManagers[0]?.restart();
    await produce(cluster.kafka, topic, later(first.slice(100, 200), 30 * MINUTE));
    await produce(cluster.kafka, topic, later(first.slice(300), 2 * HOUR));
    await produce(cluster.kafka, topic, passed('cloudevents', START + 5 * HOUR));
    await expectBoards('cloudevents', resource, START + 5 * HOUR);
    const { copies } = splitCopies(await readEvents(cluster.kafka, resource));
    await expect.poll(countedCopies, { timeout: 180_000 }).toBe(copies);
  });

  describe('in a SQL session', () => {
    const sessions = new Map<string, PipelineSession>();

    /** Asks a session over an example, one for all questions. */
    async function select(name: string, query: string): Promise<ResultRow[]> {
      const session =
        sessions.get(name) ?? (await openPipelineSession(gateway, await readExample(name), place()));
      sessions.set(name, session);
      return (await session.run(query, never))?.rows ?? [];
    }

    it.each([
      ['plain-json', 'top_players', 'TRUE'],
      ['plain-json', 'norway', "country = 'NO'"],
      // It has copies, which a board leaves out.
      ['cloudevents', 'top_players_seasons', 'TRUE'],
    ])('the events of %s that count make the board %s', async (name, board, where) => {
      const ranked = await select(name, `SELECT user_id, total_score FROM ${board}`);
      expect(ranked).toHaveLength(10);
      expect(
        await select(
          name,
          `SELECT user_id, SUM(score) AS total FROM valid_events WHERE ${where} GROUP BY user_id ORDER BY total DESC, user_id LIMIT 10`,
        ),
      ).toEqual(ranked);
    });

    it('events say why they are invalid, and can be joined to a board by value', async () => {
      const reasons = await select('plain-json', 'SELECT DISTINCT invalid_because FROM events ORDER BY 1');
      expect(reasons).toEqual([
        [null],
        ['event_time_millis is missing, or no number'],
        ['event_time_millis is no time from 1973 to 2286 in milliseconds'],
        ['score is missing, or no number'],
        ['score is not from 0 to 9007199254740991'],
        ['user_id is missing, or no text'],
      ]);
      const [[players = '0'] = []] = await select(
        'plain-json',
        "SELECT COUNT(DISTINCT b.user_id) FROM by_country b JOIN events e ON e.user_id = b.user_id AND e.country = b.`value` WHERE b.`value` = 'SE'",
      );
      expect(Number(players)).toBe(10);
    });

    it('peek finds a copy of an older record than those that it shows', async () => {
      const resource = await readExample('cloudevents');
      const [first] = (await readFile('examples/own-events/cloudevents.records', 'utf8')).split('\n');
      const value = JSON.stringify({ ...JSON.parse(first!), id: 'sent twice' });
      const copy = (timestamp: number) => ({ key: 'own', value, timestamp });
      const between = played('cloudevents', 4, START + 6 * HOUR, 9000).slice(0, 20);
      const topic = resource.spec.events.topic as string;
      await produce(cluster.kafka, topic, [copy(START + 6 * HOUR), ...between, copy(START + 6.9 * HOUR)]);
      const [event, ...others] = await peek(gateway, resource, place(), 1, never);
      expect(others).toEqual([]);
      expect(event).toMatchObject({
        producedAt: '2026-11-28 18:58:00.000',
        message: value,
        reason: 'duplicate',
      });
      expect(event?.event).toMatchObject({ user: 'anna', team: 't1', score: '12' });
    });

    it('a board that was deleted is not there, and neither are records of other definitions', async () => {
      const topic = 'plain-json-top-players';
      const [newest = '{}'] = newestByKey(await readTopic(cluster.kafka, topic)).values();
      const timestamp = START;
      const other = JSON.stringify({ ...JSON.parse(newest), digest: 'ffff', rows: [] });
      await produce(cluster.kafka, topic, [{ key: '{"season_start":0}', value: other, timestamp }]);
      expect(await select('plain-json', 'SELECT rnk FROM top_players')).toHaveLength(10);
      const producer = cluster.kafka.producer();
      await producer.connect();
      await producer.send({ topic, messages: [{ key: '{"season_start":0}', value: null }] });
      await producer.disconnect();
      expect(await select('plain-json', 'SELECT rnk FROM top_players')).toEqual([]);
    });
  });
});
