import { describe, expect, it } from 'vitest';
import { HELP, parseSettings } from '../../../schema/settings.ts';

const GOOD = {
  SCHEMA_REGISTRY_URL: 'http://registry:8081',
  SCHEMA_RESOURCE: '{"namespace":"games","name":"arcade"}',
  SCHEMA_SUBJECT: 'arcade-user-score-value',
  SCHEMA_USE: '{"names":["player"],"needed":[{"column":"player","by":"events.fields.userId"}]}',
  SCHEMA_DIGEST: 'a7d7fb8361',
  KUBERNETES_API_SERVER: 'https://kubernetes.default.svc',
};

describe('parseSettings', () => {
  it('reads them and fills in what may be left out', () => {
    expect(parseSettings(GOOD)).toEqual({
      settings: {
        ...GOOD,
        SCHEMA_RESOURCE: { namespace: 'games', name: 'arcade' },
        SCHEMA_USE: { names: ['player'], needed: [{ column: 'player', by: 'events.fields.userId' }] },
        KUBERNETES_ACCOUNT: '/var/run/secrets/kubernetes.io/serviceaccount',
        HOST: '127.0.0.1',
        PORT: 8083,
        LOG_LEVEL: 'info',
      },
    });
  });

  it('names everything that is missing or wrong', () => {
    const problems = (env: Record<string, string>) => {
      const parsed = parseSettings(env);
      return 'problems' in parsed ? parsed.problems.map((line) => line.split(':')[0]) : [];
    };
    expect(problems({})).toEqual(Object.keys(GOOD));
    expect(problems({ ...GOOD, SCHEMA_USE: '{"names":[]}', KUBERNETES_API_SERVER: 'http://a' })).toEqual([
      'SCHEMA_USE.needed',
      'KUBERNETES_API_SERVER',
    ]);
  });

  it('are all in the help', () => {
    for (const name of Object.keys(GOOD)) expect(HELP).toContain(`\n  ${name}\n`);
  });
});
