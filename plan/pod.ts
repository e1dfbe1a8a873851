import type { SecretVolume } from './objects.ts';

/** What the `restricted` Pod Security level asks of a pod. */
export const RESTRICTED_POD = {
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
};

/** What the `restricted` Pod Security level asks of a container. */
export const RESTRICTED_CONTAINER = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
};

/** The volumes of Secrets, for a pod. */
export function secretVolumes(secrets: SecretVolume[]) {
  return secrets.map(({ name, secretName }) => ({ name, secret: { secretName } }));
}

/** Where a container has them. */
export function secretMounts(secrets: SecretVolume[]) {
  return secrets.map(({ name, mountPath }) => ({ name, mountPath, readOnly: true }));
}
