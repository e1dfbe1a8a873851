import { describe, expect, it } from 'vitest';
import { HELP, parseSettings } from '../../../results/settings.ts';

const GOOD = {
  KAFKA_BOOTSTRAP_SERVERS: 'games-kafka-bootstrap:9092',
  RESULTS_SOURCE: '{"namespace":"games","name":"arcade"}',
  RESULTS_BOARDS: '[]',
  RESULTS_TOPIC: 'arcade-results',
  EVENTS_TOPIC: 'arcade-user-score',
};

describe('parseSettings', () => {
  it('reads them and fills in what may be left out', () => {
    expect(parseSettings({ ...GOOD, EVENTS_KEPT_MILLIS: '1000' })).toEqual({
      settings: {
        ...GOOD,
        KAFKA_BOOTSTRAP_SERVERS: ['games-kafka-bootstrap:9092'],
        RESULTS_SOURCE: { namespace: 'games', name: 'arcade' },
        RESULTS_BOARDS: [],
        EVENTS_KEPT_MILLIS: 1000,
        KUBERNETES_ACCOUNT: '/var/run/secrets/kubernetes.io/serviceaccount',
        HOST: '127.0.0.1',
        PORT: 8082,
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
    const wrong = { EVENTS_KEPT_MILLIS: '0', KUBERNETES_API_SERVER: 'http://kubernetes' };
    expect(problems({ ...GOOD, RESULTS_BOARDS: '{', RESULTS_SOURCE: '{}', ...wrong })).toEqual([
      'RESULTS_SOURCE.namespace',
      'RESULTS_SOURCE.name',
      'RESULTS_BOARDS',
      'EVENTS_KEPT_MILLIS',
      'KUBERNETES_API_SERVER',
    ]);
  });
});

it('--help names every variable', () => {
  for (const name of [...Object.keys(GOOD), 'EVENTS_KEPT_MILLIS', 'KUBERNETES_API_SERVER', 'PORT'])
    expect(HELP).toContain(`  ${name}\n`);
});
