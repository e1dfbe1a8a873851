import { setTimeout as sleep } from 'node:timers/promises';
import type { Kafka } from 'kafkajs';
import { endOffsets, followTopic } from '../pipeline/topic.ts';

/*
 * Watch a pipeline as its users do, and keep all that was seen. Times are epoch milliseconds of this machine.
 */

/** A record of a board's topic, in the topic's order. */
export interface SeenRecord {
  season: number;
  /** Whose board it is, of a board by value. */
  boardValue?: string;
  value: string | null;
  at: number;
}

/** What a browser got of one board with one message of the socket. */
export interface SeenFrame {
  board: string;
  html: string;
  at: number;
}

/** An answer of the API. */
export interface SeenAnswer {
  path: string;
  status: number;
  body: {
    rows?: Record<string, unknown>[];
    season?: { start: string; end: string; over: boolean };
    asOf?: string;
    /** Of /api/stats. */
    eventsPerSecond?: number | null;
    totals?: { undecodableMessages: number };
    slots?: { start: string; events: number; undecodableMessages: number | null }[];
  };
  askedAt: number;
  at: number;
}

/**
 * Reads a topic from its start, and every record as it comes (a compacted topic keeps few of them), up to its
 * end at the cleanup.
 */
export async function watchTopic(
  kafka: Kafka,
  topic: string,
  cleanup: AsyncDisposableStack,
): Promise<SeenRecord[]> {
  const seen: SeenRecord[] = [];
  const followed = await followTopic(kafka, topic, 'utf8', ({ key, value }) => {
    const { season_start: season, value: boardValue } = JSON.parse(String(key));
    seen.push({ season, ...(boardValue !== undefined && { boardValue }), value, at: Date.now() });
  });
  cleanup.use(followed);
  // What others have seen by now is in the topic.
  cleanup.defer(async () => followed.reaches(await endOffsets(kafka, topic)));
  return seen;
}

/** The parts of a socket's message that replace an element of the page: htmx's partials. */
const PARTIAL = /<hx-partial hx-target="#board-([a-z0-9-]+)"[^>]*>([\s\S]*?)<\/hx-partial>/g;

/** Keeps a socket of the page open, also over a restart of what serves it. */
export function watchSocket(url: string, cleanup: AsyncDisposableStack): SeenFrame[] {
  const seen: SeenFrame[] = [];
  let closed = false;
  let socket: WebSocket | undefined;
  const open = () => {
    if (closed) return;
    socket = new WebSocket(url.replace(/^http/, 'ws'));
    socket.onmessage = ({ data }) => {
      for (const [, board = '', html = ''] of String(data).matchAll(PARTIAL))
        seen.push({ board, html, at: Date.now() });
    };
    socket.onclose = () => setTimeout(open, 200);
  };
  open();
  cleanup.defer(() => {
    closed = true;
    socket?.close();
  });
  return seen;
}

const PAUSE_MILLIS = 100;

/** Asks the API for these paths again and again. */
export function watchApi(url: string, paths: string[], cleanup: AsyncDisposableStack): SeenAnswer[] {
  const seen: SeenAnswer[] = [];
  const stop = new AbortController();
  const asking = (async () => {
    for (let i = 0; !stop.signal.aborted; i += 1) {
      const path = paths[i % paths.length]!;
      const askedAt = Date.now();
      const response = await fetch(url + path, { signal: stop.signal });
      seen.push({
        path,
        status: response.status,
        body: (await response.json()) as SeenAnswer['body'],
        askedAt,
        at: Date.now(),
      });
      await sleep(PAUSE_MILLIS);
    }
  })().catch((error) => {
    if (!stop.signal.aborted) throw error;
  });
  cleanup.defer(async () => {
    stop.abort();
    await asking;
  });
  return seen;
}
