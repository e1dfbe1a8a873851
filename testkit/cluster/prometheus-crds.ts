import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const MODULE = 'github.com/prometheus-operator/prometheus-operator@v0.85.0';

/**
 * Manifests of the Prometheus Operator's CRDs as they were released, by plural: Go fetches them once, and
 * checks what it got.
 */
export async function prometheusCrds(...plurals: string[]): Promise<string[]> {
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', MODULE]);
  const { Dir } = JSON.parse(stdout) as { Dir: string };
  return plurals.map((plural) =>
    join(Dir, 'example/prometheus-operator-crd', `monitoring.coreos.com_${plural}.yaml`),
  );
}
