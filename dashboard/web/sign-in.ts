import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Credentials } from '../credentials.ts';

/*
 * Who may look. Programs send the token or the name and password with each request; browsers ask their user for the name and
 * password, once. Not every browser sends those with a WebSocket, so the page leaves a cookie that stands for them.
 */

const COOKIE = 'gameanalytics-sign-in';

/** What one kind of credentials looks like in a request, as digests: comparing takes as long whatever was sent. */
interface Accepted {
  authorization: Buffer;
  cookie: string;
}

export class SignIn {
  readonly #credentials: () => Credentials;
  readonly #path: string;

  /**
   * @param credentials asked for with each request: they may be replaced while the dashboard runs
   * @param path under which the dashboard is served, with a slash at its end
   */
  constructor(credentials: () => Credentials, path: string) {
    this.#credentials = credentials;
    this.#path = path;
  }

  /** Lets a request pass, or answers it with 401. To be called before anything else is done for it. */
  readonly check = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { token, username, password } = this.#credentials();
    const basic =
      username !== undefined && password !== undefined ? `basic ${base64(username, password)}` : null;
    const accepted = [token === undefined ? null : `bearer ${token}`, basic].flatMap((authorization) =>
      authorization === null ? [] : [accept(authorization)],
    );
    const given = presented(request);
    const [matching] = accepted.filter((one) => matches(one, given));
    if (matching) {
      // Browsers alone need it, and they sign in with a name and a password.
      if (given.authorization.startsWith('basic ') && given.cookie !== matching.cookie)
        this.#leaveCookie(request, reply, matching.cookie);
      return;
    }
    await reply
      .code(401)
      .header(
        'www-authenticate',
        basic ? 'Basic realm="dashboard", charset="UTF-8"' : 'Bearer realm="dashboard"',
      )
      .header('cache-control', 'no-store')
      .send({ error: 'sign in: this dashboard is not open to everybody' });
  };

  /** The cookie is worth what the name and the password are, and as long. */
  #leaveCookie(request: FastifyRequest, reply: FastifyReply, value: string): void {
    const secure = request.protocol === 'https' ? '; Secure' : '';
    reply.header('set-cookie', `${COOKIE}=${value}; Path=${this.#path}; HttpOnly; SameSite=Strict${secure}`);
  }
}

function base64(username: string, password: string): string {
  return Buffer.from(`${username}:${password}`).toString('base64');
}

function accept(authorization: string): Accepted {
  const cookie = createHmac('sha256', authorization).update(COOKIE).digest('base64url');
  return { authorization: digest(authorization), cookie };
}

interface Presented {
  authorization: string;
  cookie: string;
}

/** The name of the scheme may be in any case. */
function presented({ headers }: FastifyRequest): Presented {
  const [, scheme = '', value = ''] = /^(\S+) +(\S+)$/.exec(headers.authorization ?? '') ?? [];
  const cookie = new RegExp(`(?:^|; *)${COOKIE}=([^;]*)`).exec(headers.cookie ?? '')?.[1];
  return { authorization: `${scheme.toLowerCase()} ${value}`, cookie: cookie ?? '' };
}

function matches({ authorization, cookie }: Accepted, given: Presented): boolean {
  const byHeader = timingSafeEqual(authorization, digest(given.authorization));
  const byCookie = timingSafeEqual(digest(cookie), digest(given.cookie));
  return byHeader || byCookie;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
