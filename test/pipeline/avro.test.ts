import { readFile } from 'node:fs/promises';
import avro, { type Type } from 'avsc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { GameAnalytics } from '../../api/gameanalytics.ts';
import { parseGameAnalytics } from '../../api/parse.ts';
import { REASONS } from '../../contract/stats.ts';
import type { FlinkCluster } from '../../local/flink/cluster.ts';
import { writeSecret } from '../../local/kafka/secrets.ts';
import { completeColumns } from '../../local/schema-columns.ts';
import { startSqlGateway } from '../../local/sql-check/gateway.ts';
import { peek } from '../../local/sql-session/peek.ts';
import { expectBoardsToEqualOracle, readEvents } from '../../testkit/oracle/boards.ts';
import { type EventRecord, notCounted } from '../../testkit/oracle/oracle.ts';
import { openRegistryDoor, type RegistryDoor } from '../../testkit/pipeline/registry-door.ts';
import { type SchemaRegistry, startSchemaRegistry } from '../../testkit/pipeline/schema-registry.ts';
import { startTestCluster, type TestCluster } from '../../testkit/pipeline/test-cluster.ts';
import { newestByKey, readTopic } from '../../testkit/pipeline/topic.ts';
import { type AnyMessage, gameMessages, produce, timePasses } from '../../testkit/streams/events.ts';

const MINUTE = 60_000;
const START = Date.UTC(2026, 10, 28, 12, 4);
const PARTITIONS = 2;
const TOPIC = 'topic-of-avro';
const SUBJECT = `${TOPIC}-value`;

const field = (name: string, type: unknown) => ({ name, type });

function userScore(name: string, ...fields: object[]) {
  return { type: 'record', name, fields };
}

const TEAM = [field('team_id', 'string'), field('team_name', 'string')];
const TIME = field('event_time_millis', { type: 'long', logicalType: 'timestamp-millis' });

/** The forms that the schema takes over time: each is that of some of the game's records. */
const LATER = {
  'a field is added, one is gone, and the score is a long': userScore(
    'UserScore',
    field('country', { type: 'string', default: 'NO' }),
    field('user_id', 'string'),
    ...TEAM,
    field('score', 'long'),
    field('event_time_millis', 'long'),
    field('event_type', 'string'),
  ),
  'another name and order, an enum, and what may be missing': {
    ...userScore(
      'Play',
      field('event_type', { type: 'enum', name: 'Kind', symbols: ['normal', 'late'] }),
      field('score', ['null', 'double']),
      TIME,
      field('team_name', ['null', 'string']),
      field('team_id', ['string', 'null']),
      field('user_id', { type: 'string', 'avro.java.string': 'String' }),
    ),
    namespace: 'com.example.game',
  },
};

/** Columns of every type, and what they are in a record that has them and in one that has something else. */
const TYPED = [
  {
    name: 'price',
    type: 'DECIMAL(18, 2)',
    is: '= 12.35',
    written: { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 3 },
    value: Buffer.from([0x30, 0x39]),
    other: 'string',
  },
  {
    name: 'at',
    type: 'TIMESTAMP_LTZ(3)',
    is: '= TO_TIMESTAMP_LTZ(1795867440123, 3)',
    written: { type: 'long', logicalType: 'timestamp-micros' },
    value: 1795867440123456,
    other: 'long',
  },
  {
    name: 'day',
    type: 'DATE',
    is: "= DATE '2026-11-28'",
    written: { type: 'int', logicalType: 'date' },
    value: 20785,
    other: 'int',
  },
  {
    name: 'clock',
    type: 'TIME',
    is: "= TIME '00:01:00'",
    written: { type: 'int', logicalType: 'time-millis' },
    value: 60_000,
    other: 'int',
  },
  {
    name: 'tags',
    type: 'MAP<STRING, INT>',
    is: "['gold'] = 3",
    written: { type: 'map', values: 'long' },
    value: { gold: 3 },
    other: 'string',
  },
  {
    name: 'box',
    type: 'ROW<a ARRAY<INT>>',
    is: '.a[2] = 7',
    written: userScore('Box', field('b', 'string'), field('a', { type: 'array', items: 'int' })),
    value: { b: '', a: [5, 7] },
    other: 'int',
  },
  { name: 'small', type: 'TINYINT', is: '= 7', written: 'long', value: 7, other: 'int' },
  { name: 'ratio', type: 'FLOAT', is: '= 0.5', written: 'double', value: 0.5, other: 'string' },
  { name: 'whole', type: 'BIGINT', is: '= -8', written: 'double', value: -8.75, other: 'double' },
  { name: 'digits', type: 'STRING', is: "= '42'", written: 'int', value: 42, other: 'bytes' },
  {
    name: 'raw',
    type: 'BYTES',
    is: "= x'0102'",
    written: { type: 'fixed', name: 'Two', size: 2 },
    value: Buffer.from([1, 2]),
    other: 'string',
  },
];

/** Values of other types than the columns', or beyond them, so that these are NULL. */
const OTHER_VALUES = { string: '7', long: 7, int: 300, double: 1e300, bytes: Buffer.from([1]) };

function whereTyped(): string {
  const values = TYPED.map(({ name, is }) => `\`${name}\` ${is}`.replace(/` ([.[])/, '`$1'));
  const nulls = TYPED.map(({ name }) => `\`${name}\` IS NULL`);
  return `user_id = 'typed' AND ${values.join(' AND ')}\n OR user_id = 'other' AND ${nulls.join(' AND ')}`;
}

/** By their ids, so that the oracle knows it too. */
const isInTime = (user: string) => user.length > 1 && user.charCodeAt(user.length - 1) % 2 === 1;

/** The schemas that the registry has, by their ids. */
const registered = new Set<number>();

/** Their types, for this test's own decoding. */
const types = new Map<number, Type>();

/** The record in the form of our JSON; undefined: it cannot be read. */
function decode(value: string | null): Record<string, unknown> | undefined {
  const bytes = Buffer.from(value ?? '', 'latin1');
  if (bytes.length < 5 || bytes[0] !== 0) return undefined;
  try {
    const record = types.get(bytes.readInt32BE(1))?.fromBuffer(bytes.subarray(5));
    if (typeof record !== 'object') return undefined;
    const fields = Object.entries(record);
    // No column of the events is an object or an array.
    return Object.fromEntries(
      fields.map(([name, value]) => [name, typeof value === 'object' ? null : value]),
    );
  } catch {
    return undefined;
  }
}

function decoded(records: EventRecord[]): EventRecord[] {
  return records.map(({ value, producedAt }) => ({
    value: JSON.stringify(decode(value) ?? null),
    producedAt,
  }));
}

/** How many records do not count, by why. */
function expectedReasons(records: EventRecord[]): Record<string, number> {
  const [unknown, others] = [true, false].map((wanted) =>
    records.filter(({ value }) => hasUnknownSchema(value) === wanted),
  ) as [EventRecord[], EventRecord[]];
  return { ...notCounted(decoded(others)), unknown_schema: unknown.length };
}

function hasUnknownSchema(value: string | null): boolean {
  const bytes = Buffer.from(value ?? '', 'latin1');
  return bytes.length >= 5 && bytes[0] === 0 && !registered.has(bytes.readInt32BE(1));
}

function encode(id: number, content: Record<string, unknown> | Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.writeInt32BE(id, 1);
  return Buffer.concat([
    header,
    Buffer.isBuffer(content) ? content : (types.get(id) as Type).toBuffer(content),
  ]);
}

/** A number as Avro writes its length: far more than any record has. */
const HUGE = Buffer.from([0xf0, 0xff, 0xff, 0xff, 0x0f]);

describe('records in Avro with a schema registry', () => {
  let cluster: TestCluster;
  let registry: SchemaRegistry;
  let door: RegistryDoor;
  let resource: GameAnalytics;
  let job: FlinkCluster;
  /** The id of the example's schema. */
  let first: number;
  let newer: object;
  beforeAll(async () => {
    cluster = await startTestCluster();
    registry = await startSchemaRegistry(cluster.runtime);
    door = await openRegistryDoor(registry.url);
    await writeSecret(cluster.runtime.stateDir, 'registry', door.secret);
    const schema = JSON.parse(await readFile('examples/own-events/avro.avsc', 'utf8'));
    first = await register(schema);
    newer = userScore('Newer', ...schema.fields, field('level', ['null', 'int']));
    resource = await example();
    job = await cluster.startJob(resource);
  });
  afterAll(async () => {
    await job?.stop();
    await door?.close();
    await cluster?.stop();
  });

  async function register(schema: object): Promise<number> {
    const id = await registerUnder(SUBJECT, schema);
    types.set(id, avro.Type.forSchema(schema as never, { wrapUnions: false }));
    return id;
  }

  async function registerUnder(subject: string, schema: object, options = {}): Promise<number> {
    const id = await registry.register(subject, { schema, ...options });
    registered.add(id);
    return id;
  }

  /** Part of the simulated game, by a schema of the registry. */
  function played(id: number, seed: number, from: number): AnyMessage[] {
    return gameMessages(seed, from, 300).map(({ value, ...message }) => {
      const event = JSON.parse(value);
      const event_type = isInTime(event.user_id) ? 'normal' : 'late';
      return { ...message, value: encode(id, { country: 'NO', level: 7, ...event, event_type }) };
    });
  }

  function passed(millis: number): AnyMessage[] {
    const play = { user_id: '', team_id: '', team_name: '', score: 0, readable_time: '', event_type: '' };
    return timePasses(millis, PARTITIONS).map((message) => ({
      ...message,
      value: encode(first, { ...play, event_time_millis: millis }),
    }));
  }

  async function example(): Promise<GameAnalytics> {
    const manifest = parse(await readFile('examples/own-events/avro.yaml', 'utf8'));
    const schemaRegistry = { url: door.url, secretName: 'registry' };
    Object.assign(manifest.spec.events, { topic: TOPIC, partitions: PARTITIONS, schemaRegistry });
    const { resource: complete } = await found(parsed(manifest));
    manifest.spec.events.columns = [
      ...(complete?.spec.events.columns ?? []),
      { name: 'extra', type: 'ARRAY<STRING>' },
      ...TYPED.map(({ name, type }) => ({ name, type })),
    ];
    manifest.spec.leaderboards.push({
      name: 'typed',
      type: 'TopPlayers',
      season: 'none',
      where: whereTyped(),
    });
    return parsed(manifest);
  }

  function parsed(manifest: unknown): GameAnalytics {
    const { resource, problems } = parseGameAnalytics(manifest);
    if (!resource) throw new Error(JSON.stringify(problems));
    return resource;
  }

  /** With the columns that it leaves to the registry, as commands read them. */
  async function found(resource: GameAnalytics, said: string[] = []) {
    const { stateDir } = cluster.runtime;
    const report = (sentence: string) => void said.push(sentence);
    return completeColumns(resource, stateDir, report, new AbortController().signal);
  }

  const send = (values: (Buffer | string | null)[], timestamp: number) =>
    produce(
      cluster.kafka,
      TOPIC,
      values.map((value) => ({ key: 'hostile', value, timestamp })),
    );

  async function expectBoards(until: number): Promise<void> {
    await expectBoardsToEqualOracle(cluster.kafka, resource, until, {
      decode: decoded,
      encoding: 'latin1',
      where: {
        'in-time': ({ user }) => isInTime(user),
        typed: ({ user }) => ['typed', 'other'].includes(user),
      },
    });
  }

  async function failures(): Promise<string[]> {
    const response = await fetch(`${job.url}/jobs/${(await job.job())?.id}/exceptions`);
    const { exceptionHistory } = (await response.json()) as {
      exceptionHistory: { entries: { stacktrace: string }[] };
    };
    return exceptionHistory.entries.map(({ stacktrace }) => stacktrace);
  }

  async function slots(): Promise<Record<string, unknown>[]> {
    const records = newestByKey(await readTopic(cluster.kafka, 'avro-pipeline-stats'));
    return [...records.values()].map((value) => JSON.parse(value));
  }

  /** How many records do not count, by why, as the job has counted them. */
  async function reasons(): Promise<Record<string, number>> {
    const counted = await slots();
    const sum = (column: string) => counted.reduce((total, slot) => total + Number(slot[column]), 0);
    const counts = REASONS.map(({ id, countColumn }) => [id, sum(countColumn)] as const);
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
  }

  /** The same, as peek says it of all records. */
  async function peekedReasons(): Promise<Record<string, number>> {
    const never = new AbortController().signal;
    const gateway = await startSqlGateway(() => undefined, never, { avro: true });
    try {
      const { broker, runtime } = cluster;
      const place = { bootstrapServers: broker.bootstrapServers, stateDir: runtime.stateDir };
      const events = await peek(gateway, resource, place, 5000, never);
      const reasons = Map.groupBy(
        events.flatMap(({ reason }) => reason ?? []),
        (reason) => reason,
      );
      return Object.fromEntries([...reasons].map(([reason, all]) => [reason, all.length]));
    } finally {
      await gateway.close();
    }
  }

  it('have the columns of the newest schema that a resource uses, if it names none', async () => {
    const { columns: _, ...events } = resource.spec.events;
    const leaderboards = resource.spec.leaderboards.filter(({ name }) => name !== 'typed');
    const using = (changes: object) => ({
      ...resource,
      spec: { ...resource.spec, leaderboards, events: { ...events, ...changes } },
    });
    const said: string[] = [];
    const columns =
      'user_id STRING, team_id STRING, team_name STRING, score BIGINT, event_time_millis BIGINT, event_type STRING';
    expect((await found(using({}), said)).resource?.spec.events.columns).toHaveLength(6);
    expect(said).toEqual([`columns from ${SUBJECT} version 1: ${columns}`]);
    const fields = { teamId: 'clan.id', timeUnit: 'Millis' };
    expect((await found(using({ fields }))).problems).toEqual([
      {
        path: 'spec.events.columns',
        message: `not set, and of ${SUBJECT} version 1: it has no field clan (events.fields.teamId)`,
      },
    ]);
    const needs = 'events.columns is not set, which needs';
    await expect(found(using({ topic: 'other' }))).rejects.toThrow(
      `${needs} a schema of the subject other-value in the schema registry ${door.url}`,
    );
    const nobody = { url: door.url, secretName: 'none' };
    await expect(found(using({ schemaRegistry: nobody }))).rejects.toThrow('certificate');
    door.isClosed = true;
    await expect(found(using({}))).rejects.toThrow(`${needs} the schema registry ${door.url}: HTTP 503`);
    door.isClosed = false;
  });

  it('count whatever their schema has become, and no other record stops the job', async () => {
    const own = (await readFile('examples/own-events/avro.records', 'utf8')).trim().split('\n');
    await send(
      own.map((record) => encode(first, JSON.parse(record))),
      START,
    );
    await produce(cluster.kafka, TOPIC, played(first, 1, START));
    for (const [i, schema] of Object.values(LATER).entries())
      await produce(
        cluster.kafka,
        TOPIC,
        played(await register(schema), 2 + i, START + (i + 1) * 4 * MINUTE),
      );
    const good = { user_id: 'H', team_id: 'T', team_name: 'Hostile', score: 5, event_time_millis: START };
    const play = { ...good, readable_time: '', event_type: 'late' };
    await send([...(await hostileSchemas(good)), ...hostileBytes(play)], START + 2 * MINUTE);
    await send(await typedRecords(play), START + 2 * MINUTE);
    // A megabyte that does not count, and one that does. A broker takes one of them at a time.
    for (const large of [{ user_id: 'u'.repeat(700_000) }, { readable_time: 'now '.repeat(200_000) }])
      await send([encode(first, { ...play, ...large })], START + 2 * MINUTE);
    await produce(cluster.kafka, TOPIC, played(first, 5, START + 12 * MINUTE));
    const end = START + 30 * MINUTE;
    await produce(cluster.kafka, TOPIC, passed(end));
    await expectBoards(end);
    expect(await failures()).toEqual([]);
    const expected = expectedReasons(await readEvents(cluster.kafka, resource, 'latin1'));
    await expect.poll(reasons, { timeout: 180_000 }).toEqual(expected);
    expect(expected).toMatchObject({ unknown_schema: 54, malformed: expect.toSatisfy((n) => n > 0) });
    const examples = (await slots()).flatMap(({ example_unknown_schema: example }) => example ?? []);
    expect(examples).toEqual(['schema 4242']);
    expect(door.asked.filter((path) => path.endsWith('/4242'))).toHaveLength(1);
    expect(door.refused).toBe(0);
    expect(await peekedReasons()).toEqual(expected);
  });

  function hostileBytes(play: Record<string, unknown>): (Buffer | string | null)[] {
    const good = encode(first, play);
    const text = (name: string, bytes: Buffer) => {
      const at = encode(first, { ...play, [name]: '~' }).indexOf('\x02~');
      return Buffer.concat([good.subarray(0, at), bytes]);
    };
    return [
      ...['', '\0', '\0\0\0\0', '{"user_id": "H"}', 'H,T,5', null],
      ...[[0xf0], [0xe2, 0x28], [0xff, 0xfe, 0xfd], [1, 0, 0, 0, first]].map((bytes) => Buffer.from(bytes)),
      good.subarray(0, 5),
      good.subarray(0, 20),
      good.subarray(0, -1),
      Buffer.concat([good, Buffer.from([0])]),
      Buffer.concat([Buffer.from([1]), good.subarray(1)]),
      // Of no schema: asked for once, and not again for each record.
      ...Array.from({ length: 50 }, () => Buffer.concat([encode(4242, good.subarray(5))])),
      ...[-1, -(2 ** 31), 0, 2 ** 31 - 1].map((id) => encode(id, good.subarray(5))),
      // Texts of which only the length is there, or less than nothing; and no UTF-8.
      text('user_id', HUGE),
      text('readable_time', HUGE),
      text('user_id', Buffer.from([0x01])),
      encode(first, { ...play, user_id: '' }).fill(0xff, 5, 6),
      Buffer.concat([
        good.subarray(0, 5),
        Buffer.from([2, 0xff]),
        encode(first, { ...play, user_id: '' }).subarray(6),
      ]),
      encode(first, { ...play, score: -1 }),
      encode(first, { ...play, event_time_millis: 0 }),
      encode(first, { ...play, team_id: '' }),
    ];
  }

  async function typedRecords(play: Record<string, unknown>): Promise<Buffer[]> {
    const base = [
      field('user_id', 'string'),
      ...TEAM,
      field('score', 'int'),
      TIME,
      field('event_type', 'string'),
    ];
    const typed = await register(
      userScore('Typed', ...base, ...TYPED.map(({ name, written }) => field(name, written))),
    );
    const other = await register(
      userScore('Other', ...base, ...TYPED.map(({ name, other }) => field(name, other))),
    );
    const values = TYPED.map(({ name, value }) => [name, value]);
    const others = TYPED.map(({ name, other }) => [name, OTHER_VALUES[other as keyof typeof OTHER_VALUES]]);
    return [
      encode(typed, { ...play, user_id: 'typed', ...Object.fromEntries(values) }),
      encode(other, { ...play, user_id: 'other', ...Object.fromEntries(others) }),
    ];
  }

  async function hostileSchemas(good: Record<string, unknown>): Promise<Buffer[]> {
    const other = (name: string, schema: object, options = {}) =>
      registerUnder(`${TOPIC}-${name}`, schema, options);
    const extended = (extra: unknown) =>
      userScore(
        'UserScore',
        field('user_id', 'string'),
        ...TEAM,
        field('score', 'int'),
        TIME,
        field('extra', extra),
      );
    const withExtra = (content: Buffer) => {
      const fields = avro.Type.forSchema(extended('null') as never).toBuffer({ ...good, extra: null });
      return Buffer.concat([fields, content]);
    };
    // A trillion items of no bytes.
    const nulls = await other('nulls', extended({ type: 'array', items: 'null' }));
    const trillion = Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0]);
    const list = extended({ type: 'array', items: 'string' });
    const strings = await other('strings', list);
    types.set(strings, avro.Type.forSchema(list as never));
    // This test's own decoding would make room for them.
    const billion = await other('billion', extended({ type: 'array', items: 'int' }));
    const texts = await other('texts', { ...list, name: 'Texts' });
    const node = { type: 'record', name: 'Node', fields: [field('next', ['null', 'Node'])] };
    const nested = await other('nodes', extended(node));
    const json = await other(
      'json',
      { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object' },
      { schemaType: 'JSON' },
    );
    const text = await other('text', { type: 'string' });
    // The types of others in a schema of its own.
    const kind = { type: 'enum', name: 'Kind', symbols: ['normal', 'late'] };
    await other('kind', kind);
    const referring = userScore(
      'UserScore',
      field('user_id', 'string'),
      ...TEAM,
      field('score', 'int'),
      TIME,
      field('event_type', 'Kind'),
    );
    const references = [{ name: 'Kind', subject: `${TOPIC}-kind`, version: 1 }];
    const referred = await other('referring', referring, { references });
    types.set(
      referred,
      avro.Type.forSchema({
        ...referring,
        fields: referring.fields.with(-1, field('event_type', kind)),
      } as never),
    );
    // Objects where a text, a number and a time belong.
    const box = (name: string, at: string) => field(name, userScore(at, field('in', 'int')));
    const boxes = userScore('UserScore', box('user_id', 'A'), ...TEAM, box('score', 'B'), TIME);
    const boxed = await other('boxes', boxes);
    types.set(boxed, avro.Type.forSchema(boxes as never));
    return [
      encode(nulls, withExtra(trillion)),
      encode(billion, withExtra(HUGE)),
      encode(texts, withExtra(HUGE)),
      encode(strings, { ...good, extra: ['a', 'b'] }),
      encode(nested, withExtra(Buffer.alloc(300_000, 2))),
      encode(json, withExtra(Buffer.alloc(1))),
      encode(text, Buffer.from([2, 0x41])),
      encode(referred, { ...good, event_type: 'late' }),
      encode(boxed, { ...good, user_id: { in: 1 }, score: { in: 1 } }),
    ];
  }

  it('wait for a registry that is away, and the cause can be read', async () => {
    const from = START + 60 * MINUTE;
    door.isClosed = true;
    await produce(cluster.kafka, TOPIC, played(await register(newer), 9, from));
    await expect.poll(failures, { timeout: 180_000 }).not.toEqual([]);
    expect((await failures()).join('\n')).toMatch(
      /The schema registry does not answer https:.*\/schemas\/ids\/\d+: HTTP 503/,
    );
    door.isClosed = false;
    await produce(cluster.kafka, TOPIC, passed(from + 30 * MINUTE));
    await expectBoards(from + 30 * MINUTE);
    const records = await readEvents(cluster.kafka, resource, 'latin1');
    await expect.poll(reasons, { timeout: 180_000 }).toEqual(expectedReasons(records));
  });
});
