import { METHODS, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SECURITY_HEADERS } from './security-headers.ts';

/*
 * What is answered where no route answers: always `{"error": "a sentence"}`, with the headers that every
 * answer has.
 */

/** Of errors that mean that the URL itself cannot be read. */
const URL_ERRORS: Record<string, string> = {
  FST_ERR_BAD_URL: 'the URL cannot be read: it must be UTF-8, percent-encoded',
  FST_ERR_MAX_PARAM_LENGTH: 'the URL is too long',
};

/** Fastify's frameworkErrors: no route is looked for, and no hook runs. */
export function refuseUrl({ code }: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  void reply
    .code(400)
    .headers(SECURITY_HEADERS)
    .header('cache-control', 'no-store')
    .send({ error: URL_ERRORS[code] ?? 'the URL cannot be used' });
}

/** Fastify's clientErrorHandler: what came is no request, so the answer is written by hand. */
export function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  if (error.code !== 'ECONNRESET' && socket.writable) {
    const [status, sentence] = whatIsWrong(error.code);
    const body = JSON.stringify({ error: sentence });
    const headers = {
      ...SECURITY_HEADERS,
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
      'cache-control': 'no-store',
      connection: 'close',
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
  }
  socket.destroy();
}

function whatIsWrong(code: string | undefined): [status: number, sentence: string] {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [408, 'the request took too long to come'];
    case 'HPE_HEADER_OVERFLOW':
      return [431, 'the headers are too large'];
    default:
      return [400, 'this is no HTTP request'];
  }
}

/** Answers other methods than those of a path's routes with 405. To be called before there are routes. */
export function refuseOtherMethods(app: FastifyInstance): void {
  // CONNECT never comes this far.
  for (const method of METHODS.filter((one) => one !== 'CONNECT' && !app.supportedMethods.includes(one)))
    app.addHttpMethod(method);
  const refused = new Set<string>();
  app.addHook('onRoute', ({ method: declared, url, prefix }) => {
    const allowed = ALLOWED.get(String(declared));
    if (!allowed) return;
    const others = app.supportedMethods.filter((method) => !allowed.includes(method));
    const refuse = refuseMethod(allowed);
    // The root below a prefix is declared once and also routed with a trailing slash.
    for (const path of prefix && url === prefix ? [url, `${url}/`] : [url]) {
      if (refused.has(path)) continue;
      refused.add(path);
      app.route({ method: others, url: path, onRequest: refuse, handler: refuse });
    }
  });
}

/** What is answered, by the method that a route is declared with. */
const ALLOWED = new Map([
  ['GET', ['GET', 'HEAD']],
  ['POST', ['POST']],
]);

function refuseMethod(allowed: string[]) {
  const instead = `${allowed.join(' and ')} ${allowed.length === 1 ? 'is' : 'are'}`;
  return async ({ method }: FastifyRequest, reply: FastifyReply): Promise<void> => {
    await reply
      .code(405)
      .header('allow', allowed.join(', '))
      .send({ error: `${method} is not answered here; ${instead}` });
  };
}

/** Answers what a hook or a route throws. */
export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler<FastifyError>(async (error, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) request.log.error({ err: error, url: request.url }, 'request failed');
    const sentence = status < 500 ? error.message : 'this went wrong here, and was noted';
    await reply.code(status).send({ error: sentence });
  });
}
