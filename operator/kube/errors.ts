/** What the API server says of a request it did not fulfil. */
export interface Status {
  kind?: 'Status';
  code?: number;
  reason?: string;
  message?: string;
  details?: { causes?: StatusCause[]; retryAfterSeconds?: number };
}

export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}

/** The API server answered, and said no. The message is its own. */
export class ApiError extends Error {
  override name = 'ApiError';
  /** The HTTP status. */
  readonly status: number;
  /** Why, as one word of the API server's; empty when it gave none. */
  readonly reason: string;
  readonly causes: StatusCause[];
  /** How long it asks us to wait before the next try. */
  readonly retryAfterMillis?: number;

  constructor(status: number, { message, reason = '', details = {} }: Status, retryAfterSeconds?: number) {
    super(message || `the API server answered ${status} without a reason`);
    this.status = status;
    this.reason = reason;
    this.causes = details.causes ?? [];
    const seconds = retryAfterSeconds ?? details.retryAfterSeconds;
    if (seconds) this.retryAfterMillis = Math.min(seconds, LONGEST_RETRY_AFTER_SECONDS) * 1000;
  }
}

/** A server that asks for more is not believed: the operator would be blind for that long. */
const LONGEST_RETRY_AFTER_SECONDS = 300;

/** The API server did not answer, in time or at all. A write may have been done all the same. */
export class ConnectionError extends Error {
  override name = 'ConnectionError';
}

/**
 * The error that a response stands for.
 *
 * @param body the text of the response: a Status, or, from a proxy before the API server, anything
 * @param retryAfter the Retry-After header; only its form in seconds is read, which is the one Kubernetes
 * uses
 */
export function toApiError(status: number, body: string, retryAfter?: string): ApiError {
  const seconds = Number.parseInt(retryAfter ?? '', 10);
  return new ApiError(status, parseStatus(body), Number.isNaN(seconds) ? undefined : seconds);
}

function parseStatus(body: string): Status {
  try {
    const parsed: Status | null = JSON.parse(body);
    if (parsed?.kind === 'Status') return parsed;
  } catch {
    // Not JSON: the text itself is the message.
  }
  return { message: body.trim().slice(0, 1000) };
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

export function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.status === 409;
}

/** The resource version or the continue token is older than what the API server remembers. */
export function isGone(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 410 || error.reason === 'Expired');
}

/** The resource version is newer than anything the API server knows: its etcd was put back from a backup. */
export function isAhead(error: unknown): boolean {
  return error instanceof ApiError && error.causes.some(({ reason }) => reason === 'ResourceVersionTooLarge');
}

/** The same request may well succeed later. */
export function isTransient(error: unknown): boolean {
  if (error instanceof ConnectionError) return true;
  return error instanceof ApiError && (error.status === 429 || error.status >= 500);
}

/**
 * The fields that a server-side apply without force may not take, and who owns them. Empty when that is not
 * the error.
 */
export function fieldManagerConflicts(error: unknown): { manager: string; field: string }[] {
  if (!(error instanceof ApiError)) return [];
  return error.causes
    .filter(({ reason }) => reason === 'FieldManagerConflict')
    .map(({ message = '', field = '' }) => {
      // The manager is named in the message alone: `conflict with "kubectl" using apps/v1`.
      const [, manager = 'another manager'] = /^conflicts? with "([^"]*)"/.exec(message) ?? [];
      return { manager, field };
    });
}
