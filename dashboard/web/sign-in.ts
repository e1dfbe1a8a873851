import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type {} from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Credentials } from '../credentials.ts';
import type { Metrics } from './metrics.ts';

/*
 * Authentication. Programs send the token or the name and password with each request; browsers ask their user
 * for the name and password, once. Not every browser sends those with a WebSocket, so the page leaves a
 * cookie that stands for them.
 */

const COOKIE = 'gameanalytics-sign-in';

/**
 * What one kind of credentials looks like in a request, as digests: comparing takes as long whatever was
 * sent.
 */
interface Accepted {
  authorization: Buffer;
  cookie: string;
}

export interface SignInOptions {
  /** Asked for with each request: they may be replaced while the dashboard runs. */
  credentials: () => Credentials;
  /** Under which the dashboard is served, with a slash at its end. */
  path: string;
  metrics: Metrics;
}

/** How many wrong passwords or tokens an address may send within the time, before it has to wait. */
const GUESSES = { max: 10, timeWindow: 60_000 };

type CountGuesses = ReturnType<FastifyInstance['createRateLimit']>;

export class SignIn {
  readonly #options: SignInOptions;
  readonly #guesses: CountGuesses;

  /** @param app has the plugin that limits rates */
  constructor(app: FastifyInstance, options: SignInOptions) {
    this.#options = options;
    this.#guesses = app.createRateLimit(GUESSES);
  }

  /** True when the request has valid credentials; never for an address that has guessed too often. */
  async isSignedIn(request: FastifyRequest): Promise<boolean> {
    const { match, isGuess } = this.#inspect(request);
    if (isGuess && (await this.#hasGuessedTooOften(request))) return false;
    if (isGuess && !match) await this.#guesses(request);
    return match !== undefined;
  }

  /** Lets a request pass, or answers it with 401. To be called before anything else is done for it. */
  readonly check = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { match, given, isGuess, scheme } = this.#inspect(request);
    if (isGuess && (await this.#hasGuessedTooOften(request))) return this.#refuseGuess(request, reply);
    if (match) {
      // Browsers alone need it, and they sign in with a name and a password.
      if (given.authorization.startsWith('basic ') && given.cookie !== match.cookie)
        this.#leaveCookie(request, reply, match.cookie);
      return;
    }
    if (isGuess) await this.#guesses(request);
    await reply
      .code(401)
      .header('www-authenticate', scheme)
      .header('cache-control', 'no-store')
      .send({ error: 'sign in: this dashboard is not open to everyone' });
  };

  #inspect(request: FastifyRequest) {
    const { token, username, password } = this.#options.credentials();
    const hasName = username !== undefined && password !== undefined;
    const accepted = [
      ...(token === undefined ? [] : [`bearer ${token}`]),
      ...(hasName ? [`basic ${Buffer.from(`${username}:${password}`).toString('base64')}`] : []),
    ].map(accept);
    const given = presented(request);
    const match = accepted.find((one) => matches(one, given));
    return {
      match,
      given,
      // The cookie cannot be guessed; what is in a header may be.
      isGuess: given.authorization !== NOTHING && given.cookie !== match?.cookie,
      scheme: hasName ? 'Basic realm="dashboard", charset="UTF-8"' : 'Bearer realm="dashboard"',
    };
  }

  async #hasGuessedTooOften(request: FastifyRequest): Promise<boolean> {
    const guesses = await this.#guesses(request, { increment: false });
    return !guesses.isAllowed && guesses.remaining === 0;
  }

  async #refuseGuess(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    this.#options.metrics.refused('too many guesses');
    const guesses = await this.#guesses(request, { increment: false });
    await reply
      .code(429)
      .header('retry-after', guesses.isAllowed ? 1 : guesses.ttlInSeconds)
      .header('cache-control', 'no-store')
      .send({ error: 'too many wrong passwords or tokens came from this address; wait a minute' });
  }

  #leaveCookie(request: FastifyRequest, reply: FastifyReply, value: string): void {
    const secure = request.protocol === 'https' ? '; Secure' : '';
    reply.header(
      'set-cookie',
      `${COOKIE}=${value}; Path=${this.#options.path}; HttpOnly; SameSite=Strict${secure}`,
    );
  }
}

function accept(authorization: string): Accepted {
  const cookie = createHmac('sha256', authorization).update(COOKIE).digest('base64url');
  return { authorization: digest(authorization), cookie };
}

interface Presented {
  authorization: string;
  cookie: string;
}

/** How no authorization is presented. */
const NOTHING = ' ';

function presented({ headers }: FastifyRequest): Presented {
  const [, scheme = '', value = ''] = /^(\S+) +(\S+)$/.exec(headers.authorization ?? '') ?? [];
  const cookie = new RegExp(`(?:^|; *)${COOKIE}=([^;]*)`).exec(headers.cookie ?? '')?.[1];
  // The name of the scheme may be in any case.
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
