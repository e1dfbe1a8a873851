import { readFileSync } from 'node:fs';
import Handlebars from 'handlebars';
import type { NotCountedPanel } from './not-counted.ts';
import type { Page } from './page.ts';
import type { Panel } from './panel.ts';
import type { RankChart } from './rank-chart.ts';
import type { Status } from './status.ts';
import type { Freshness, Traffic } from './traffic.ts';

/*
 * HTML from models, by the templates in views/. Everything a model holds is text: Handlebars escapes it, and
 * the templates quote every attribute. Only the page takes HTML, which these templates made.
 */

/** The server's time in epoch milliseconds, and which page it serves. */
export interface Clock {
  now: number;
  release: string;
}

/** The text of an address without a page. */
export interface Missing extends Pick<Page, 'title' | 'root' | 'assets'> {
  /** Of the board that was asked for; undefined: it was no board. */
  name: string | undefined;
  home: string;
}

const handlebars = Handlebars.create();

function template<T>(name: string): (model: T) => string {
  const text = readFileSync(new URL(`views/${name}.hbs`, import.meta.url), 'utf8');
  // Blank lines between elements are for readers of the templates. A line break at the end of a part would do
  // harm: a morph adds it next to the element, one more with every frame.
  const source = text.replace(/\n\s*/g, '\n').trim();
  const compiled = handlebars.compile<T>(source, { strict: true });
  handlebars.registerPartial(name, compiled);
  return compiled;
}

/** What changes of a board's panel, the same string for every viewer. */
export const renderBoard = template<Panel>('board');
export const renderRankChart = template<RankChart>('rank-chart');
export const renderStatus = template<Status>('status');
export const renderTraffic = template<Traffic>('traffic');
export const renderFreshness = template<Freshness>('freshness');
export const renderNotCounted = template<NotCountedPanel>('not-counted');
const renderClock = template<Clock>('clock');
export const renderPage = template<Page>('page');
export const renderMissing = template<Missing>('missing');

/**
 * What goes over the socket: rendered parts by element id, each to be morphed in place (htmx's `hx-partial`),
 * and the clock at the time they were sent.
 */
export function renderFrame(parts: Iterable<{ id: string; html: string }>, clock: Clock): string {
  return [...parts, { id: 'clock', html: renderClock(clock) }]
    .map(({ id, html }) => `<hx-partial hx-target="#${id}" hx-swap="outerMorph">${html}</hx-partial>`)
    .join('');
}
