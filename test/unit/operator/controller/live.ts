import type { LiveMetadata, LiveObject } from '../../../../operator/kube/object.ts';

/** A live object with as little as a test needs to say of it. */
export function live(
  kind: string,
  fields: Record<string, unknown> = {},
  metadata: Partial<LiveMetadata> = {},
): LiveObject {
  return {
    apiVersion: 'v1',
    kind,
    metadata: {
      name: 'game',
      namespace: 'arcades',
      uid: '1',
      resourceVersion: '1',
      generation: 1,
      ...metadata,
    },
    ...fields,
  };
}
