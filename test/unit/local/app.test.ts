import { expect, it } from 'vitest';
import { startApp } from '../../../local/app.ts';
import type { LocalRuntime } from '../../../local/local-runtime.ts';
import { dashboard } from '../../../plan/dashboard.ts';
import type { Deployment } from '../../../plan/objects.ts';
import { resource } from '../../../testkit/resources/resource.ts';

it('a Secret that this machine does not have is asked for before anything starts', async () => {
  const spec = { dashboard: { auth: { secretName: 'sign-in' } } };
  const environment = { bootstrapServers: 'none:9092', appImage: 'app', flinkImage: 'flink' };
  const deployment = dashboard(resource(spec), environment).find(({ kind }) => kind === 'Deployment');
  const runtime = { stateDir: '/nowhere' } as LocalRuntime;
  await expect(startApp(runtime, deployment as Deployment)).rejects.toThrow(
    /^The Secret sign-in is a folder .* mkdir -p -m 700 \/nowhere\/secrets\/sign-in$/,
  );
});
