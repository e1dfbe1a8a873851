import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AccessSettings, kafkaAccess } from '../../../kafka/access.ts';
import { CertificateAuthority, type Identity } from '../../../local/kafka/certificates.ts';
import { LOOPBACK } from '../../../local/process/ports.ts';

let folder: string;
let settings: AccessSettings;
let authority: CertificateAuthority;
let server: Server;

/** Writes a Secret's files, in place of those of the same names. */
async function secret(name: string, content: Record<string, string>): Promise<string> {
  await mkdir(join(folder, name), { recursive: true });
  for (const [key, value] of Object.entries(content)) await writeFile(join(folder, name, key), value);
  return join(folder, name);
}

const keys = ({ certificate, key }: Identity) => ({ 'user.crt': certificate, 'user.key': key });

/** A server that wants a certificate, and answers with the name in it. */
async function listen(signer: CertificateAuthority): Promise<Server> {
  const { certificate, key } = await signer.issue('broker');
  const ca = [authority.certificate];
  const started = createServer(
    { cert: certificate, key, ca, requestCert: true, rejectUnauthorized: false },
    (socket) => {
      const { CN = 'nobody' } = socket.getPeerCertificate().subject ?? {};
      socket.on('error', () => undefined);
      socket.end(String(CN));
    },
  );
  await new Promise<void>((resolve) => started.listen(0, LOOPBACK, resolve));
  return started;
}

/** What the server of this port answers to a connection. */
function answer(
  { socketFactory }: Pick<ReturnType<typeof kafkaAccess>, 'socketFactory'>,
  at = server,
): Promise<string> {
  const { port } = at.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const socket = socketFactory({ host: LOOPBACK, port, ssl: {}, onConnect: () => undefined });
    socket.on('data', (data: Buffer) => resolve(data.toString()));
    socket.on('error', reject);
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gameanalytics-access-'));
  authority = await CertificateAuthority.create('test');
  server = await listen(authority);
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  settings = {
    KAFKA_CA_FOLDER: await secret('ca', { 'ca.crt': authority.certificate }),
    KAFKA_USER_FOLDER: await secret('user', { password: 'secret', ...keys(await authority.issue('ann')) }),
  };
});

describe('access to Kafka', () => {
  it('by a certificate shows it to a server that the CA has signed for, and to no other', async () => {
    expect(await answer(kafkaAccess(settings))).toBe('ann');
    const stranger = await listen(await CertificateAuthority.create('test'));
    await expect(answer(kafkaAccess(settings), stranger)).rejects.toThrow(/certificate/);
    stranger.close();
  });

  it('by a password shows no certificate', async () => {
    const access = kafkaAccess({ ...settings, KAFKA_USERNAME: 'ann' });
    expect(access.sasl).toMatchObject({ mechanism: 'scram-sha-512', username: 'ann', password: 'secret' });
    expect(await answer(access)).toBe('nobody');
  });

  it('takes what was renewed at the next connection', async () => {
    const certified = kafkaAccess(settings);
    const named = kafkaAccess({ ...settings, KAFKA_USERNAME: 'ann' });
    await secret('user', { password: 'renewed', ...keys(await authority.issue('bob')) });
    expect(await answer(certified)).toBe('bob');
    expect(named.sasl).toMatchObject({ password: 'renewed' });
  });

  it('believes the old CA and the new one while both are there', async () => {
    const next = await CertificateAuthority.create('next');
    await secret('ca', { 'ca.crt': next.certificate, 'ca-2026.crt': authority.certificate });
    expect(await answer(kafkaAccess(settings))).toBe('ann');
    await rm(join(folder, 'ca', 'ca-2026.crt'));
    await expect(answer(kafkaAccess(settings))).rejects.toThrow(/certificate/);
  });

  it('without settings is a connection in the clear', () => {
    expect(kafkaAccess({}).sasl).toBeUndefined();
  });

  it.each<[string, AccessSettings, RegExp]>([
    ['credentials without TLS', { KAFKA_USER_FOLDER: 'user' }, /^KAFKA_CA_FOLDER: must be set too/],
    ['a CA without credentials', { KAFKA_CA_FOLDER: 'ca' }, /^KAFKA_USER_FOLDER: must be set too/],
    ['a folder that is not there', { KAFKA_CA_FOLDER: '/nowhere' }, /^KAFKA_CA_FOLDER: ENOENT.*'\/nowhere'/],
  ])('is refused with what to do: %s', (_, given, words) => {
    const whole = given.KAFKA_CA_FOLDER === '/nowhere' ? { ...settings, ...given } : given;
    expect(() => kafkaAccess(whole)).toThrow(words);
  });

  it.each(['user.key', 'user.crt'])('is refused without %s, or when it is empty', async (key) => {
    await secret('user', { [key]: '' });
    expect(() => kafkaAccess(settings)).toThrow(`KAFKA_USER_FOLDER: ${join(folder, 'user', key)} is empty`);
    await rm(join(folder, 'user', key));
    expect(() => kafkaAccess(settings)).toThrow(/^KAFKA_USER_FOLDER: ENOENT/);
  });
});

const BOARD = {
  name: 'teams',
  title: 'Teams',
  topic: 'teams',
  digest: 'd1',
  size: 1,
  identity: ['team'],
  columns: [{ name: 'team', label: 'Team', type: 'text' }],
};

describe.each(['injector', 'dashboard', 'results', 'history'])('the %s', (program) => {
  it('that cannot sign in says why, and ends', () => {
    const env = {
      PATH: process.env.PATH,
      KAFKA_BOOTSTRAP_SERVERS: 'kafka:9093',
      KAFKA_CA_FOLDER: '/nowhere',
      KAFKA_USER_FOLDER: '/nowhere',
      EVENTS_TOPIC: 'events',
      EVENTS_PER_SECOND: '1',
      LIVE_TEAMS: '1',
      MEMBERS_MIN: '1',
      MEMBERS_MAX: '1',
      MAX_SCORE: '1',
      ROBOT_PROBABILITY: '0',
      LATE_SHARE: '0',
      DASHBOARD_BOARDS: JSON.stringify([BOARD]),
      STATS_TOPIC: 'stats',
      JOB_GROUPS: 'flink',
      RESULTS_BOARDS: '[]',
      RESULTS_SOURCE: '{"namespace":"games","name":"arcade"}',
      RESULTS_TOPIC: 'results',
      HISTORY_BOARDS: JSON.stringify([{ topic: 'teams', historyTopic: 'teams-history' }]),
    };
    const { status, stderr } = spawnSync(process.execPath, [`${program}/main.ts`], { env, encoding: 'utf8' });
    expect(stderr).toMatch(/^KAFKA_CA_FOLDER: ENOENT/);
    expect(status).toBe(2);
  });
});
