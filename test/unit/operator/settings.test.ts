import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HELP, parseSettings, type Settings } from '../../../operator/settings.ts';

const REQUIRED = { APP_IMAGE: 'app:1', FLINK_IMAGE: 'flink:2', LEASE_NAMESPACE: 'system' };

const VARIABLES = [
  ...Object.keys(REQUIRED),
  ...[
    'WATCH_NAMESPACE',
    'ALLOWED_FLINK_IMAGES',
    'FLINK_OPERATOR_NAMESPACE',
    'LEASE_NAME',
    'IDENTITY',
    'HOST',
    'PORT',
    'WORKERS',
    'UPGRADE_TIMEOUT',
    'LOG_LEVEL',
  ],
];

function parse(args: string[], env: Record<string, string> = {}) {
  return parseSettings(args, { ...REQUIRED, ...env }, 'me');
}

function settings(args: string[], env: Record<string, string> = {}): Settings {
  const parsed = parse(args, env);
  if ('problems' in parsed) throw new Error(parsed.problems.join('\n'));
  return parsed.settings;
}

function problems(args: string[], env: Record<string, string> = {}): readonly string[] {
  const parsed = parse(args, env);
  return 'problems' in parsed ? parsed.problems : [];
}

describe('parseSettings', () => {
  it('fills in what may be left out', () => {
    expect(settings([])).toEqual({
      ...{ appImage: 'app:1', flinkImage: 'flink:2', leaseNamespace: 'system' },
      ...{ leaseName: 'gameanalytics-operator', identity: 'me', host: '::', port: 8080 },
      ...{ workers: 4, upgradeTimeoutMillis: 300_000, logLevel: 'info' },
    });
  });

  it('takes flags in both of their forms, before variables', () => {
    const env = {
      PORT: '1',
      WORKERS: '2',
      UPGRADE_TIMEOUT: '90s',
      WATCH_NAMESPACE: 'games',
      IDENTITY: 'pod-1',
      ALLOWED_FLINK_IMAGES: 'registry.example/,flink:2',
    };
    expect(settings(['--port=9000', '--app-image', 'app:2'], env)).toMatchObject({
      ...{ port: 9000, workers: 2, upgradeTimeoutMillis: 90_000 },
      ...{ appImage: 'app:2', watchNamespace: 'games', identity: 'pod-1' },
      allowedFlinkImages: ['registry.example/', 'flink:2'],
    });
  });

  it('takes an empty one for unset, so that a flag can undo a variable', () => {
    expect(settings(['--watch-namespace='], { WATCH_NAMESPACE: 'games', PORT: '' })).toEqual(settings([]));
  });

  it('names everything that is missing, and how to set it', () => {
    expect(parseSettings([], {}, 'me')).toEqual({
      problems: [
        '--app-image, APP_IMAGE: must be an image; it is not set',
        '--flink-image, FLINK_IMAGE: must be an image; it is not set',
        '--lease-namespace, LEASE_NAMESPACE: must be the name of a namespace; it is not set',
      ],
    });
  });

  it('says all problems at once, where each came from, and what is allowed', () => {
    const env = { WORKERS: '0', LOG_LEVEL: 'loud', LEASE_NAME: 'The Lease', WATCH_NAMESPACE: 'a,b' };
    expect(problems(['--port=http', '--upgrade-timeout=2d', '--app-image=my app'], env)).toEqual([
      'WATCH_NAMESPACE: must be the name of a namespace, not "a,b"',
      '--app-image: must be an image, not "my app"',
      'LEASE_NAME: must be the name of an object, not "The Lease"',
      '--port: must be an integer from 0 to 65535, not "http"',
      'WORKERS: must be an integer from 1 to 100, not "0"',
      '--upgrade-timeout: must be a duration from 1s to 1d, such as 90s or 5m, not "2d"',
      'LOG_LEVEL: must be one of trace, debug, info, warn, error, fatal, silent, not "loud"',
    ]);
  });

  it.each([
    ['a flag that there is not', ['--watch-namespaces=a'], "Unknown option '--watch-namespaces'"],
    ['a flag without its value', ['--port'], "'--port <value>' argument missing"],
    ['an argument that is no flag', ['games'], "Unexpected argument 'games'"],
  ])('refuses %s', (_, args, problem) => {
    expect(problems(args)).toEqual([expect.stringContaining(problem)]);
  });

  it('refuses an upgrade timeout that is no duration', () => {
    for (const text of ['5', '5 m', '0s', '-5m', '5M', '1h30m'])
      expect(problems([], { UPGRADE_TIMEOUT: text })).toHaveLength(1);
  });

  it('never throws, whatever it is given', () => {
    const args = fc.array(fc.oneof(fc.string(), fc.constantFrom('--port', '--workers=3', '--', '-p')));
    const env = fc.dictionary(fc.constantFrom(...VARIABLES), fc.string());
    fc.assert(
      fc.property(args, env, (someArgs, someEnv) => {
        const parsed = parse(someArgs, someEnv);
        expect('settings' in parsed || parsed.problems.length > 0).toBe(true);
      }),
    );
  });
});

describe('help', () => {
  it('lists every flag with its variable and its default', () => {
    for (const name of VARIABLES) {
      const flag = name.toLowerCase().replaceAll('_', '-');
      expect(HELP).toMatch(
        new RegExp(`^  --${flag}, ${name}\n      \\S.*\\((default: .+|required|optional)\\)$`, 'm'),
      );
    }
    expect(HELP).toContain('(default: 5m)');
  });
});
