/** A live object as the API server gives it. */
export interface LiveObject {
  apiVersion: string;
  kind: string;
  metadata: LiveMetadata;
  [field: string]: unknown;
}

export interface LiveMetadata {
  name: string;
  namespace?: string;
  uid: string;
  /** Grows with every change of any object of the kind; see compareVersions. */
  resourceVersion: string;
  /** Grows with every change of the spec. */
  generation?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  creationTimestamp?: string;
  /** Set while the object waits for its finalizers. */
  deletionTimestamp?: string;
  managedFields?: ManagedFields[];
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
}

/** Which fields a manager owns through one way of writing. */
export interface ManagedFields {
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  subresource?: string;
  /** The set of fields, in the API server's own notation (`f:spec`, `k:{"name":"x"}`, …). */
  fieldsV1?: Record<string, unknown>;
}

/** An object as we send it: plain JSON, of which the API server fills in the rest. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: Partial<LiveMetadata> & { name: string };
  [field: string]: unknown;
}

/** The same object without its managed fields, which are often the larger half of it. */
export function withoutManagedFields<T extends LiveObject>(object: T): T {
  if (!object.metadata.managedFields) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/**
 * Orders two resource versions of objects of one kind, as a sort function does: negative when `a` is the
 * older. They are decimal numbers that may be too long for a JavaScript number.
 */
export function compareVersions(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
