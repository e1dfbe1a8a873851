import { execFile } from 'node:child_process';
import { describe, expect, it } from 'vitest';

const TOOL = 'tools/kube-linter';
/** As it ends where no kube-linter is available. */
const UNAVAILABLE = 69;

const rendered = await lint('');
const unavailable = rendered.code === UNAVAILABLE;
if (unavailable) process.stderr.write(rendered.said);

describe.skipIf(unavailable)('kube-linter', () => {
  it('finds nothing in what examples become and charts render', () => {
    expect(rendered.code, rendered.said).toBe(0);
  });

  it('finds what is careless, with our exceptions too', async () => {
    const { code, said } = await lint(JSON.stringify(CARELESS), '-');
    expect(code, said).toBe(1);
    for (const check of ['latest-tag', 'no-read-only-root-fs', 'non-isolated-pod', 'spread-over-nodes'])
      expect(said).toContain(`(check: ${check}, `);
  });
});

const CARELESS = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'careless', namespace: 'games' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'careless' } },
    template: {
      metadata: { labels: { app: 'careless' } },
      spec: { containers: [{ name: 'app', image: 'app:latest' }] },
    },
  },
};

function lint(input: string, ...files: string[]): Promise<{ code: number; said: string }> {
  return new Promise((resolve) => {
    const child = execFile(TOOL, files, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, said: stdout + stderr }),
    );
    child.stdin?.end(input);
  });
}
