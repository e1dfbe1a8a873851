import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * An onSend hook, after the one that makes the ETag: answers a request that has the same already with 304, by
 * all that If-None-Match can say (RFC 9110, 13.1.2).
 */
export async function answerConditionally(
  { headers }: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): Promise<unknown> {
  const etag = reply.getHeader('etag');
  const known = headers['if-none-match'];
  if (reply.statusCode !== 200 || typeof etag !== 'string' || known === undefined) return payload;
  const tags: string[] = known.match(/"[^"]*"/g) ?? [];
  if (known.trim() !== '*' && !tags.includes(etag.replace(/^W\//, ''))) return payload;
  reply.code(304);
  return '';
}
