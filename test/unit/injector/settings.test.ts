import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HELP, parseSettings } from '../../../injector/settings.ts';

const GOOD = {
  KAFKA_BOOTSTRAP_SERVERS: 'games-kafka-bootstrap:9092',
  EVENTS_TOPIC: 'arcade-user-score',
  EVENTS_PER_SECOND: '20',
  LIVE_TEAMS: '15',
  MEMBERS_MIN: '5',
  MEMBERS_MAX: '15',
  MAX_SCORE: '20',
  ROBOT_PROBABILITY: '0.1',
  LATE_SHARE: '0.02',
};

function problems(changes: Record<string, string>): readonly string[] {
  const parsed = parseSettings({ ...GOOD, ...changes });
  return 'problems' in parsed ? parsed.problems : [];
}

describe('parseSettings', () => {
  it('reads numbers and fills in what may be left out', () => {
    expect(parseSettings({ ...GOOD, EVENTS_PER_SECOND: '0.5', SEED: '', PATH: '/bin' })).toEqual({
      settings: {
        ...{ KAFKA_BOOTSTRAP_SERVERS: ['games-kafka-bootstrap:9092'], EVENTS_TOPIC: 'arcade-user-score' },
        ...{ EVENTS_PER_SECOND: 0.5, LIVE_TEAMS: 15, MEMBERS_MIN: 5, MEMBERS_MAX: 15, MAX_SCORE: 20 },
        ...{ ROBOT_PROBABILITY: 0.1, LATE_SHARE: 0.02, LATE_MIN_MILLIS: 300_000, LATE_MAX_MILLIS: 600_000 },
        ...{ HOST: '127.0.0.1', PORT: 8081, LOG_LEVEL: 'info' },
      },
    });
  });

  it('names everything that is missing', () => {
    const parsed = parseSettings({});
    expect('problems' in parsed && parsed.problems.map((line) => line.split(':')[0])).toEqual(
      Object.keys(GOOD),
    );
  });

  it('says all problems at once, one line each, with the name, what is allowed and what it got', () => {
    const bad = {
      KAFKA_BOOTSTRAP_SERVERS: 'localhost',
      EVENTS_PER_SECOND: '50001',
      LIVE_TEAMS: '2.5',
      MEMBERS_MIN: '9',
      MEMBERS_MAX: '8',
      PORT: 'http',
      LOG_LEVEL: 'loud',
    };
    expect(problems(bad)).toEqual([
      'KAFKA_BOOTSTRAP_SERVERS: must be host:port of Kafka brokers, separated by commas, not "localhost"',
      'EVENTS_PER_SECOND: must be a number from 0.1 to 50000, not "50001"',
      'LIVE_TEAMS: must be an integer from 1 to 10000, not "2.5"',
      'PORT: must be an integer from 0 to 65535, not "http"',
      'LOG_LEVEL: must be one of trace, debug, info, warn, error, fatal, silent, not "loud"',
      'MEMBERS_MIN: must be at most MEMBERS_MAX, not "9"',
    ]);
  });

  it('refuses delays in the wrong order', () => {
    expect(problems({ LATE_MIN_MILLIS: '10', LATE_MAX_MILLIS: '9' })).toEqual([
      'LATE_MIN_MILLIS: must be at most LATE_MAX_MILLIS, not "10"',
    ]);
  });

  it('takes several brokers and refuses what is no list of them', () => {
    expect(problems({ KAFKA_BOOTSTRAP_SERVERS: 'a:1,b.example:65000, [::1]:9092' })).toEqual([]);
    for (const servers of ['a', 'a:1,', 'a:1 b:2', ':9092', 'a:b']) {
      expect(problems({ KAFKA_BOOTSTRAP_SERVERS: servers })).toHaveLength(1);
    }
  });

  it('never throws, whatever the environment holds', () => {
    const env = fc.dictionary(fc.constantFrom(...Object.keys(GOOD), 'SEED', 'PORT', 'HOST'), fc.string());
    fc.assert(
      fc.property(env, (changes) => {
        const parsed = parseSettings({ ...GOOD, ...changes });
        expect('settings' in parsed || parsed.problems.length > 0).toBe(true);
      }),
    );
  });
});

describe('help', () => {
  it('names every variable', () => {
    for (const name of [
      ...Object.keys(GOOD),
      'LATE_MIN_MILLIS',
      'LATE_MAX_MILLIS',
      'SEED',
      'HOST',
      'PORT',
      'LOG_LEVEL',
    ]) {
      expect(HELP).toContain(`  ${name}\n`);
    }
  });
});
