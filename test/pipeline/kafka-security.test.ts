import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AccessSettings, kafkaAccess } from '../../kafka/access.ts';
import { forgetCommits } from '../../kafka/group-progress.ts';
import { CertificateAuthority } from '../../local/kafka/certificates.ts';
import { aclEntries } from '../../local/kafka/users.ts';
import type { Pipeline } from '../../local/pipeline.ts';
import { users } from '../../plan/users.ts';
import { expectBoardsToEqualOracle } from '../../testkit/oracle/boards.ts';
import { kafkaClient, readTopic } from '../../testkit/pipeline/topic.ts';
import { startWholePipeline } from '../../testkit/pipeline/whole-pipeline.ts';
import { longSeason } from '../../testkit/resources/long-season.ts';
import { resource } from '../../testkit/resources/resource.ts';

/*
 * Real Kafka with its StandardAuthorizer, over TLS; a real Flink, injector, dashboard and program of the
 * results, each with its own credentials and rights.
 */

const SOON = { timeout: 180_000, interval: 250 };
const EVENTS = 'arcade-user-score';
const BOARD = 'arcade-top-teams';
const PLAYERS_BOARD = 'arcade-top-players';
const RESULTS = 'arcade-results';
const GROUP = 'arcade.flink';
/** What kafkajs makes of a group that may not be used. */
const NO_GROUP = /^Failed to find group coordinator$/;
const COMPONENTS = ['injector', 'flink', 'dashboard', 'results', 'history'] as const;
type Component = (typeof COMPONENTS)[number];

const TEAMS = { name: 'top-teams', type: 'TopTeams', season: longSeason() };
/** The Secret of those who may hide players. */
const HIDING = 'arcade-hiding';
const TOKEN = 'hide-and-seek';
const SECRETS = { [HIDING]: { token: TOKEN } };
const FROZEN = { latestArrival: '1h' };
const PLAYERS = { name: 'top-players', type: 'TopPlayers', season: longSeason(), size: 20, history: true };
const arcade = (type: 'scram-sha-512' | 'tls') =>
  resource(
    {
      kafka: { cluster: 'games', authentication: { type } },
      leaderboards: [TEAMS, PLAYERS, { name: 'hot', type: 'HotStreakers' }],
      events: FROZEN,
      injector: { eventsPerSecond: 100, seed: 7 },
      results: {},
      players: { secretName: HIDING },
    },
    'arcade',
  );

/** A pipeline, and what someone with access to its machine can do with its secrets. */
class Subject {
  readonly pipeline: Pipeline;
  readonly stateDir: string;

  constructor(pipeline: Pipeline) {
    this.pipeline = pipeline;
    this.stateDir = dirname(dirname(pipeline.flink.jobManager.logFile));
  }

  secret(name: string): string {
    return join(this.stateDir, 'secrets', name);
  }

  /** How a component is let in. */
  settings(component: Component, type: 'scram-sha-512' | 'tls'): AccessSettings {
    const name = `arcade-${component}-kafka`;
    return {
      KAFKA_CA_FOLDER: this.secret('games-cluster-ca-cert'),
      KAFKA_USER_FOLDER: this.secret(name),
      ...(type === 'scram-sha-512' && { KAFKA_USERNAME: name }),
    };
  }

  /** A client that connects as the settings say; it tries everything once. */
  client(settings: AccessSettings): Kafka {
    const brokers = [this.pipeline.broker.clientServers];
    return new Kafka({
      clientId: 'test',
      brokers,
      ...kafkaAccess(settings),
      logLevel: logLevel.NOTHING,
      retry: { retries: 0 },
    });
  }

  log(name: string): string {
    return readFileSync(join(this.stateDir, 'logs', `${name}.log`), 'utf8');
  }

  get dashboard(): string {
    return this.pipeline.services.get('arcade-dashboard')!;
  }

  async rows(board: string): Promise<Record<string, unknown>[]> {
    const response = await fetch(`${this.dashboard}/api/boards/${board}`);
    return ((await response.json()) as { rows: Record<string, unknown>[] }).rows;
  }

  /** Asks the dashboard to hide or show a player. @returns its answer's status */
  async setPlayer(id: unknown, state: string, token = TOKEN): Promise<number> {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ id, state });
    return (await fetch(`${this.dashboard}/api/players`, { method: 'POST', headers, body })).status;
  }
}

/** What came of an attempt: `done`, or the reason why not. */
function outcome(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(
    () => 'done',
    (error: Error) => error.message,
  );
}

/** Writes what no board and no count of events takes in. */
async function write(kafka: Kafka, topic: string): Promise<void> {
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  try {
    await producer.connect();
    await producer.send({ topic, messages: [{ key: 'k', value: '{}' }] });
  } finally {
    await producer.disconnect();
  }
}

/** Reads a record. */
async function read(kafka: Kafka, topic: string, groupId: string): Promise<void> {
  const consumer = kafka.consumer({ groupId, retry: { restartOnFailure: async () => false } });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({ autoCommit: false, eachMessage: async () => resolve() });
    await promise;
  } finally {
    await consumer.disconnect();
  }
}

/** Has the job commit again how far it has read. */
async function forget(kafka: Kafka): Promise<void> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    // With its first attempt kafkajs learns which brokers there are.
    await admin.fetchTopicMetadata({ topics: [EVENTS] });
    await admin.fetchOffsets({ groupId: GROUP, topics: [EVENTS] });
    await forgetCommits(admin, GROUP);
  } finally {
    await admin.disconnect();
  }
}

async function createTopic(kafka: Kafka): Promise<void> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: 'arcade-mine' }] });
  } finally {
    await admin.disconnect();
  }
}

describe('a pipeline that signs in by a password', () => {
  const cleanup = new AsyncDisposableStack();
  let subject: Subject;

  beforeAll(async () => {
    subject = new Subject(await startWholePipeline(arcade('scram-sha-512'), cleanup, SECRETS));
  });
  afterAll(() => cleanup.disposeAsync());

  const as = (component: Component) => subject.client(subject.settings(component, 'scram-sha-512'));

  it('shows its boards', async () => {
    await expect.poll(() => subject.rows('top-teams'), SOON).toHaveLength(10);
    await expect.poll(async () => (await subject.rows('hot')).length, SOON).toBeGreaterThan(0);
  });

  it('hides a player by the dashboard, for who has the token', async () => {
    const players = async () => (await subject.rows('top-players')).map(({ user_id }) => user_id);
    await expect.poll(async () => (await players()).length, SOON).toBeGreaterThan(3);
    const [first] = await players();
    expect(await subject.setPlayer(first, 'hidden', 'guess')).toBe(401);
    expect(await subject.setPlayer(first, 'hidden')).toBe(204);
    await expect.poll(players, SOON).not.toContain(first);
    expect(await subject.setPlayer(first, 'shown')).toBe(204);
    await expect.poll(players, SOON).toContain(first);
  });

  it('erases a player from a history', async () => {
    const kafka = kafkaClient(subject.pipeline.broker.bootstrapServers);
    const [{ user_id: erased } = {}] = await subject.rows('top-players');
    const kept = async () => {
      const records = await readTopic(kafka, `${PLAYERS_BOARD}-history`);
      const named = records.filter(({ value }) => value?.includes(`"user_id":${JSON.stringify(erased)}`));
      return { records: records.length > 0, named: named.length > 0 };
    };
    await expect.poll(kept, SOON).toEqual({ records: true, named: true });
    expect(await subject.setPlayer(erased, 'erased')).toBe(204);
    await expect.poll(kept, SOON).toEqual({ records: true, named: false });
  });

  it('lets each program do what it does, and nothing else', async () => {
    expect(await outcome(write(as('injector'), EVENTS))).toBe('done');
    expect(await outcome(read(as('injector'), EVENTS, 'arcade.test'))).toMatch(NO_GROUP);
    expect(await outcome(write(as('injector'), BOARD))).toMatch(/not authorized/i);

    expect(await outcome(read(as('flink'), EVENTS, 'arcade.flink-test'))).toBe('done');
    expect(await outcome(read(as('flink'), EVENTS, 'arcade.test'))).toMatch(NO_GROUP);
    expect(await outcome(write(as('flink'), EVENTS))).toMatch(/not authorized/i);

    expect(await outcome(read(as('dashboard'), BOARD, `${BOARD}-dashboard-test`))).toBe('done');
    expect(await outcome(read(as('dashboard'), BOARD, 'arcade.test'))).toMatch(NO_GROUP);
    expect(await outcome(read(as('dashboard'), EVENTS, `${BOARD}-dashboard-test`))).toMatch(
      /not authorized/i,
    );
    expect(await outcome(write(as('dashboard'), BOARD))).toMatch(/not authorized/i);
    expect(await outcome(write(as('dashboard'), RESULTS))).toMatch(/not authorized/i);

    expect(await outcome(read(as('results'), BOARD, `${BOARD}-results-test`))).toBe('done');
    expect(await outcome(read(as('results'), EVENTS, GROUP))).toMatch(/not authorized/i);
    expect(await outcome(write(as('results'), BOARD))).toMatch(/not authorized/i);
    const ofPlayers = `${PLAYERS_BOARD}-history-test`;
    expect(await outcome(read(as('history'), PLAYERS_BOARD, ofPlayers))).toBe('done');
    expect(await outcome(read(as('history'), BOARD, ofPlayers))).toMatch(/not authorized/i);
    expect(await outcome(write(as('history'), BOARD))).toMatch(/not authorized/i);
    expect(await outcome(forget(as('dashboard')))).toMatch(/cannot remove the commits .*not authorized/i);
    expect(await outcome(forget(as('results')))).toBe('done');

    for (const component of COMPONENTS)
      expect(await outcome(createTopic(as(component)))).toBe('Topic creation errors');
    expect(await subject.pipeline.broker.admin.listTopics()).not.toContain('arcade-mine');
  });

  it('lets nobody in who has no password, or a wrong one', async () => {
    const { KAFKA_USERNAME: _, ...unnamed } = subject.settings('injector', 'scram-sha-512');
    const folder = join(subject.stateDir, 'wrong');
    mkdirSync(folder);
    writeFileSync(join(folder, 'password'), 'guess');
    const guess = { ...subject.settings('injector', 'scram-sha-512'), KAFKA_USER_FOLDER: folder };
    expect(await outcome(write(subject.client(guess), EVENTS))).toMatch(/authentication failed/i);
    expect(() => subject.client(unnamed)).toThrow(/^KAFKA_USER_FOLDER: .*user\.crt/);
  });

  it('keeps its passwords to itself', () => {
    const passwords = COMPONENTS.map((component) =>
      readFileSync(join(subject.secret(`arcade-${component}-kafka`), 'password'), 'utf8'),
    );
    expect(new Set(passwords).size).toBe(COMPONENTS.length);
    for (const password of passwords) expect(password.length).toBeGreaterThanOrEqual(32);
    const secrets = [...passwords, TOKEN];
    const texts = ['logs', 'flink/conf', 'kafka']
      .flatMap((folder) => files(join(subject.stateDir, folder)))
      .concat(processFiles());
    expect(texts.length).toBeGreaterThan(10);
    const telling = texts.filter((file) => secrets.some((secret) => content(file).includes(secret)));
    expect(telling).toEqual([]);
  });

  it('says what is missing when a right is taken away, and continues once it is back', async () => {
    const { broker, flink, apps } = subject.pipeline;
    const all = users(arcade('scram-sha-512')).flatMap(aclEntries);
    const toEvents = all.filter(({ resourceName }) => resourceName === EVENTS);
    const toBoard = all.filter(
      ({ resourceName, principal }) => resourceName === BOARD && /dashboard/.test(principal),
    );
    const filters = [...toEvents, ...toBoard];
    expect(filters).toHaveLength(5);
    await broker.admin.deleteAcls({ filters });
    for (const [name, topic] of [
      ['injector', EVENTS],
      ['dashboard', BOARD],
      ['dashboard', EVENTS],
    ] as const)
      await expect.poll(() => subject.log(name), SOON).toContain(`not authorized for the topic ${topic}`);
    await expect.poll(async () => (await flink.job())?.allTasksRunning, SOON).toBe(false);
    await broker.admin.createAcls({ acl: filters });
    await expect.poll(async () => (await flink.job())?.allTasksRunning, SOON).toBe(true);
    await apps.find(({ deployment }) => deployment.metadata.name === 'arcade-injector')?.stop();
    expect(subject.log('injector')).toContain('all accepted events are sent');
    const kafka = kafkaClient(broker.bootstrapServers);
    await expectBoardsToEqualOracle(
      kafka,
      resource({ events: FROZEN, leaderboards: [TEAMS] }, 'arcade'),
      Date.now(),
    );
  });
});

describe('a pipeline that signs in by a certificate', () => {
  const cleanup = new AsyncDisposableStack();
  let subject: Subject;

  beforeAll(async () => {
    subject = new Subject(await startWholePipeline(arcade('tls'), cleanup, SECRETS));
  });
  afterAll(() => cleanup.disposeAsync());

  it('shows its boards', async () => {
    await expect.poll(() => subject.rows('top-teams'), SOON).toHaveLength(10);
  });

  it('lets each program do what it does, and nobody in without a certificate of this Kafka’s', async () => {
    const injector = subject.settings('injector', 'tls');
    expect(await outcome(write(subject.client(injector), EVENTS))).toBe('done');
    expect(await outcome(write(subject.client(injector), BOARD))).toMatch(/not authorized/i);
    expect(await outcome(write(subject.client(subject.settings('dashboard', 'tls')), EVENTS))).toMatch(
      /not authorized/i,
    );
    const stranger = join(subject.stateDir, 'stranger');
    mkdirSync(stranger);
    const { certificate, key } = await (await CertificateAuthority.create('local')).issue(
      'arcade-injector-kafka',
    );
    writeFileSync(join(stranger, 'user.crt'), certificate);
    writeFileSync(join(stranger, 'user.key'), key);
    expect(
      await outcome(write(subject.client({ ...injector, KAFKA_USER_FOLDER: stranger }), EVENTS)),
    ).toMatch(/certificate|closed connection/i);
  });

  it('takes a renewed certificate at the next connection', async () => {
    const folder = join(subject.stateDir, 'renewed');
    cpSync(subject.secret('arcade-injector-kafka'), folder, { recursive: true });
    const kafka = subject.client({ ...subject.settings('injector', 'tls'), KAFKA_USER_FOLDER: folder });
    expect(await outcome(write(kafka, EVENTS))).toBe('done');
    cpSync(subject.secret('arcade-dashboard-kafka'), folder, { recursive: true });
    expect(await outcome(write(kafka, EVENTS))).toMatch(/not authorized/i);
  });
});

/** All files below a folder but the broker's own data. */
function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}

/** What everyone can read of processes, and what those of the same user can. */
function processFiles(): string[] {
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return ids.flatMap((id) => [`/proc/${id}/cmdline`, `/proc/${id}/environ`]);
}

/** Empty when the process has just ended. */
function content(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
