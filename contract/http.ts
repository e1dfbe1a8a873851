/* What is agreed on between those who serve over HTTP and those who ask them. */

/** Where every program of a pipeline answers Kubernetes and Prometheus. */
export const PROBE_PATHS = { alive: '/healthz', ready: '/readyz', metrics: '/metrics' } as const;

/** A path under which the dashboard can be served: without a slash at its end, except for the root. */
export const BASE_PATH = /^\/([A-Za-z0-9_~-][A-Za-z0-9._~-]*(\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*)?$/;
