/**
 * How well a topic is being read. `waiting`: never yet read to its end. `live`: being followed. `away`: it
 * was live and cannot be read now; what is known stays.
 */
export interface FeedStatus {
  kind: 'waiting' | 'live' | 'away';
  /** For people who operate the dashboard, not for its viewers; empty when live. */
  reason: string;
}

const NOT_READ_YET: FeedStatus = { kind: 'waiting', reason: 'not read yet' };
const SILENT: FeedStatus = { kind: 'away', reason: 'Kafka does not answer' };

/**
 * Where the side that reads Kafka and the side that serves the web meet. A topic is read into fresh content
 * that is published once it is complete: viewers never see the past being replayed.
 */
export class TopicState<Content> {
  #content: Content;
  #status: FeedStatus = NOT_READ_YET;
  #isSilent = false;
  #publications = 0;
  readonly #published = Promise.withResolvers<void>();

  /** @param empty what there is to see until the topic has been read */
  constructor(empty: Content) {
    this.#content = empty;
  }

  get content(): Content {
    return this.#content;
  }

  get status(): FeedStatus {
    return this.#isSilent && this.#status.kind === 'live' ? SILENT : this.#status;
  }

  /** True once the topic has been read to its end: from then on there is something true to show. */
  get ready(): boolean {
    return this.#status.kind !== 'waiting';
  }

  /** True when reading failed, and never yet succeeded. */
  get failing(): boolean {
    return this.#status.kind === 'waiting' && this.#status !== NOT_READ_YET;
  }

  /** How often the content was replaced. */
  get publications(): number {
    return this.#publications;
  }

  /** Resolves once the topic has been read to its end. */
  get published(): Promise<void> {
    return this.#published.promise;
  }

  /** Shows this content from now on; it may keep changing. */
  publish(content: Content): void {
    this.#published.resolve();
    this.#content = content;
    this.#publications += 1;
    this.#status = { kind: 'live', reason: '' };
    this.#isSilent = false;
  }

  /** Kafka has stopped answering, or answers again: reading resumes where it was. */
  setSilent(isSilent: boolean): void {
    this.#isSilent = isSilent;
  }

  /** The topic cannot be read, for the reason given. */
  markUnavailable(reason: string): void {
    this.#status = { kind: this.ready ? 'away' : 'waiting', reason };
  }
}
