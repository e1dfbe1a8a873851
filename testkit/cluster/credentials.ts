import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { LOOPBACK } from '../../local/process/ports.ts';

import { FILES, type Site } from './commands.ts';

/**
 * Writes what the API server needs to know its administrator and to sign tokens, and the administrator's
 * kubeconfig.
 */
export async function writeCredentials({ folder, apiServerPort }: Site): Promise<void> {
  const token = randomUUID();
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const write = (file: string, text: string) => writeFile(join(folder, file), text, { mode: 0o600 });
  await write(FILES.tokens, `${token},admin,admin,"system:masters"\n`);
  await write(FILES.serviceAccountKey, privateKey.export({ type: 'sec1', format: 'pem' }).toString());
  await write(FILES.kubeConfig, JSON.stringify(kubeConfig(folder, apiServerPort, token)));
}

function kubeConfig(folder: string, port: number, token: string) {
  const cluster = {
    server: `https://${LOOPBACK}:${port}`,
    // The API server makes it when it starts.
    'certificate-authority': join(folder, FILES.certificate),
  };
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    'current-context': 'test',
  };
}
