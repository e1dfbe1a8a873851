import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Call } from '../../../lib/api-server.ts';
import { Finder } from '../../../schema/finder.ts';
import { parseSettings } from '../../../schema/settings.ts';

const SUBJECT = 'scores-value';
const stop = new AbortController().signal;

describe('the finder of a schema', () => {
  let registry: Server;
  /** The schema of the subject; undefined: it has none. */
  let fields: object[] | undefined;
  let status: object;
  let calls: Call[];

  beforeEach(async () => {
    fields = undefined;
    status = {};
    calls = [];
    registry = createServer((_, response) => {
      if (!fields) return response.writeHead(404).end('{"error_code": 40401, "message": "no such subject"}');
      const schema = JSON.stringify({ type: 'record', name: 'Play', fields });
      return response.end(JSON.stringify({ subject: SUBJECT, version: 3, id: 7, schema }));
    });
    registry.listen(0, '127.0.0.1');
    await once(registry, 'listening');
  });
  afterEach(() => registry.close());

  function finder(): Finder {
    const parsed = parseSettings({
      SCHEMA_REGISTRY_URL: `http://127.0.0.1:${(registry.address() as AddressInfo).port}`,
      SCHEMA_RESOURCE: '{"namespace":"games","name":"arcade"}',
      SCHEMA_SUBJECT: SUBJECT,
      SCHEMA_USE: '{"names":["player","points"],"needed":[{"column":"player","by":"events.fields.userId"}]}',
      SCHEMA_DIGEST: 'd1',
      KUBERNETES_API_SERVER: 'https://kubernetes.default.svc',
    });
    if ('problems' in parsed) throw new Error(parsed.problems.join());
    const metadata = { name: 'arcade', namespace: 'games', uid: 'u1' };
    const api = {
      async call(call: Call) {
        if (call.method === 'GET')
          return { apiVersion: 'gameanalytics.dev/v1alpha1', kind: 'GameAnalytics', metadata, status };
        calls.push(call);
        status = (call.body as { status: object }).status;
        return {};
      },
    };
    return new Finder({ settings: parsed.settings, api, log: pino({ level: 'silent' }) });
  }

  it('says why there are no columns, until there are, and then writes them once', async () => {
    const found = finder();
    await found.advance(stop);
    expect(status).toMatchObject({
      schema: { digest: 'd1', problem: expect.stringContaining(`a schema of the subject ${SUBJECT}`) },
    });
    fields = [{ name: 'points', type: 'int' }];
    await found.advance(stop);
    expect(status).toMatchObject({
      schema: { problem: `${SUBJECT} version 3: it has no field player (events.fields.userId)` },
    });
    expect(found.problem).toContain('no field player');
    fields = ['player', 'unused'].map((name) => ({ name, type: 'string' }));
    await found.advance(stop);
    const columns = [{ name: 'player', type: 'STRING' }];
    expect(status).toEqual({ schema: { digest: 'd1', subject: SUBJECT, version: 3, columns } });
    expect(found.problem).toBeUndefined();
    fields = [];
    await found.advance(stop);
    expect(calls).toHaveLength(3);
  });

  it('writes again what someone took out of the status, and never what is there', async () => {
    fields = [{ name: 'player', type: 'string' }];
    const found = finder();
    await found.advance(stop);
    status = {};
    await found.advance(stop);
    await found.advance(stop);
    expect(calls.map(({ method, path }) => [method, path.split('?')[0]])).toEqual(
      Array.from({ length: 2 }, () => [
        'PATCH',
        '/apis/gameanalytics.dev/v1alpha1/namespaces/games/gameanalytics/arcade/status',
      ]),
    );
  });
});
