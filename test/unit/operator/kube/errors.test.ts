import { describe, expect, it } from 'vitest';
import {
  ApiError,
  ConnectionError,
  fieldManagerConflicts,
  isAhead,
  isConflict,
  isGone,
  isNotFound,
  isTransient,
  toApiError,
} from '../../../../operator/kube/errors.ts';

const status = (content: object) => JSON.stringify({ kind: 'Status', ...content });

describe('an error of the API server', () => {
  it('has the words of its Status', () => {
    const causes = [
      { reason: 'FieldValueInvalid', message: 'may not shrink', field: 'spec.events.partitions' },
    ];
    const error = toApiError(
      422,
      status({ message: 'may not shrink', reason: 'Invalid', details: { causes } }),
    );
    expect(error).toMatchObject({ message: 'may not shrink', status: 422, reason: 'Invalid', causes });
  });

  it('has the text itself where a proxy answered in place of the API server', () => {
    expect(toApiError(502, 'Bad Gateway\n')).toMatchObject({
      message: 'Bad Gateway',
      status: 502,
      causes: [],
    });
    expect(toApiError(502, '"Bad Gateway"').message).toBe('"Bad Gateway"');
    expect(toApiError(502, 'null').message).toBe('null');
    expect(toApiError(502, '').message).toContain('502');
  });

  it('says how long to wait, by its header or else by its Status, but never for hours', () => {
    const details = { retryAfterSeconds: 7 };
    expect(toApiError(429, status({ details }), '3').retryAfterMillis).toBe(3_000);
    expect(toApiError(429, status({ details })).retryAfterMillis).toBe(7_000);
    expect(toApiError(429, '', 'Wed, 21 Oct 2026 07:28:00 GMT').retryAfterMillis).toBeUndefined();
    expect(toApiError(429, '', '86400').retryAfterMillis).toBe(300_000);
  });

  it('is of a kind that tells what to do', () => {
    const at = (code: number) => new ApiError(code, {});
    expect(isNotFound(at(404))).toBe(true);
    expect(isConflict(at(409))).toBe(true);
    expect(isGone(at(410))).toBe(true);
    expect(isGone(new ApiError(500, { reason: 'Expired' }))).toBe(true);
    expect(isAhead(new ApiError(504, { details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } }))).toBe(
      true,
    );
  });

  it('is transient where the same request may succeed later', () => {
    const transient = [429, 500, 503, 504].map((code) => new ApiError(code, {}));
    expect([...transient, new ConnectionError('reset')].every(isTransient)).toBe(true);
    const lasting = [400, 401, 403, 404, 409, 410, 422].map((code) => new ApiError(code, {}));
    expect([...lasting, new TypeError('ours')].some(isTransient)).toBe(false);
  });

  it('names the managers and fields of an apply conflict', () => {
    const conflict = (message: string, field: string) => ({ reason: 'FieldManagerConflict', message, field });
    const causes = [
      conflict('conflict with "kubectl-edit" using apps/v1', '.spec.replicas'),
      conflict(
        'conflict with "hpa" with subresource "scale" using apps/v1 at 2026-01-01T00:00:00Z',
        '.spec.paused',
      ),
      { reason: 'FieldValueInvalid', message: 'conflict with "nobody"', field: '.spec' },
    ];
    expect(fieldManagerConflicts(toApiError(409, status({ details: { causes } })))).toEqual([
      { manager: 'kubectl-edit', field: '.spec.replicas' },
      { manager: 'hpa', field: '.spec.paused' },
    ]);
    expect(fieldManagerConflicts(new ApiError(409, {}))).toEqual([]);
    expect(fieldManagerConflicts(new TypeError('ours'))).toEqual([]);
  });
});
