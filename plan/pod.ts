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
