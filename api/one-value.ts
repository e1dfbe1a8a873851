/**
 * Of an object without a default that may be empty: server-side apply takes it as a whole. Field by field, it
 * would make null of an object whose last field is removed, which the API server then refuses.
 */
export const ONE_VALUE = { 'x-kubernetes-map-type': 'atomic' };
