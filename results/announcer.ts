import type { Logger } from 'pino';
import { z } from 'zod';
import { type ClosedSeason, closedSeason, type ResultSource } from '../contract/results.ts';
import type { ApiServer } from '../lib/api-server.ts';
import { Backoff } from '../lib/backoff.ts';
import { kubernetesEvent, resourcePath } from '../lib/kubernetes.ts';
import { parseResultId } from './season-result.ts';

/** The name under which the API server remembers which fields of the status are ours. */
const FIELD_MANAGER = 'gameanalytics-results';
const RETRY_MILLIS = 1000;
const LONGEST_RETRY_MILLIS = 300_000;

const liveResource = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.object({ name: z.string(), namespace: z.string(), uid: z.string() }),
  status: z.object({ closedSeasons: z.array(closedSeason).default([]) }).prefault({}),
});

interface AnnouncerOptions {
  api: Pick<ApiServer, 'call'>;
  source: ResultSource;
  /** Names of the boards that have results. */
  boards: ReadonlySet<string>;
  /** Where the results are. */
  topic: string;
  /** Which copy of the program says so. */
  instance: string;
  log: Logger;
}

/**
 * Tells people which seasons are closed: in the status of the resource, and by a Kubernetes event for each
 * that the status has not named before. So no event comes again when the program is restarted, or reads what
 * it has written long ago. Where several seasons of a board close at once, the last one stands for them.
 */
export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #backoff = new Backoff(RETRY_MILLIS, LONGEST_RETRY_MILLIS, Math.random);
  /** The last season of each board that has a result. */
  readonly #last = new Map<string, ClosedSeason>();
  #isAnnounced = true;
  #nextMillis = 0;

  constructor(options: AnnouncerOptions) {
    this.#options = options;
  }

  /** Takes in that there is a result of this id, since then in epoch milliseconds. */
  take(id: string, writtenMillis: number): void {
    const { source, boards } = this.#options;
    const season = parseResultId(source, id);
    if (!season || !boards.has(season.board) || !isLater(season, this.#last.get(season.board))) return;
    this.#last.set(season.board, { ...season, closedAt: new Date(writtenMillis).toISOString() });
    this.#isAnnounced = false;
  }

  /**
   * Announces what has been taken in. A failure is logged, and a later call tries again: results do not
   * depend on it.
   *
   * @param now epoch milliseconds
   */
  async announce(now: number, signal: AbortSignal): Promise<void> {
    if (this.#isAnnounced || now < this.#nextMillis) return;
    try {
      await this.#announce(signal);
      this.#isAnnounced = true;
      this.#backoff.reset();
    } catch (error) {
      if (signal.aborted) return;
      const retryInMillis = this.#backoff.next();
      this.#nextMillis = now + retryInMillis;
      const reason = (error as Error).message;
      this.#options.log.warn({ retryInMillis }, `the status does not name the closed seasons yet: ${reason}`);
    }
  }

  async #announce(signal: AbortSignal): Promise<void> {
    const { api, source, topic, log } = this.#options;
    const path = resourcePath(source);
    const live = liveResource.parse(await api.call({ method: 'GET', path }, signal));
    const { apiVersion, kind, metadata, status } = live;
    const { name, namespace, uid } = metadata;
    const named = new Map(status.closedSeasons.map((season) => [season.board, season]));
    const news = [...this.#last.values()].filter((season) => isLater(season, named.get(season.board)));
    if (news.length === 0) return;
    const newest = [...this.#last.values()].map((season) => {
      const other = named.get(season.board);
      return other && !news.includes(season) ? other : season;
    });
    await api.call(
      {
        method: 'PATCH',
        // Strict: a CRD from before must not drop the field, or each season would stay news.
        path: `${path}/status?fieldManager=${FIELD_MANAGER}&force=true&fieldValidation=Strict`,
        contentType: 'application/apply-patch+yaml',
        // With the uid: a resource that was deleted and made again meanwhile is another one.
        body: { apiVersion, kind, metadata: { name, namespace, uid }, status: { closedSeasons: newest } },
      },
      signal,
    );
    for (const { board, start } of news) {
      const note = `${board}: the season of ${start} is closed, and its result is in the topic ${topic}.`;
      await this.#record(live, note, signal).catch((error: Error) => {
        // As with the operator's: nothing depends on an event.
        log.warn(`an event was not recorded: ${error.message}`);
      });
    }
  }

  async #record(live: z.infer<typeof liveResource>, note: string, signal: AbortSignal): Promise<void> {
    const { api, instance } = this.#options;
    const { namespace } = live.metadata;
    const event = kubernetesEvent(
      live,
      { type: 'Normal', reason: 'SeasonClosed', action: 'Close', note },
      { controller: FIELD_MANAGER, instance },
      new Date(),
    );
    const path = `/apis/${event.apiVersion}/namespaces/${namespace}/events`;
    await api.call({ method: 'POST', path, body: event }, signal);
  }
}

function isLater(season: Pick<ClosedSeason, 'start'>, than: ClosedSeason | undefined): boolean {
  return than === undefined || Date.parse(season.start) > Date.parse(than.start);
}
