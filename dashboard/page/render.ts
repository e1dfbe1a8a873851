import { readFileSync } from 'node:fs';
import Handlebars from 'handlebars';
import type { Panel } from './panel.ts';

/*
 * HTML from models, by the templates in views/. Everything a model holds is text: Handlebars escapes it, and the
 * templates quote every attribute.
 */

/** The page for a first visit; complete without JavaScript. */
export interface Page {
  title: string;
  panels: Panel[];
  /** URLs of the assets. */
  assets: Record<string, string>;
  /** The server's time in epoch milliseconds. */
  now: number;
}

const handlebars = Handlebars.create();
// Blank lines between elements are for readers of the templates, not for the wire.
const source = (name: string) =>
  readFileSync(new URL(`views/${name}.hbs`, import.meta.url), 'utf8').replace(/\n\s*/g, '\n');
const compile = <T>(name: string) => handlebars.compile<T>(source(name), { strict: true });

const pageTemplate = compile<Page>('page');
const panelTemplate = compile<PanelContext>('panel');
const clockTemplate = compile<{ now: number }>('clock');
handlebars.registerPartial('panel', panelTemplate);
handlebars.registerPartial('clock', clockTemplate);

interface PanelContext extends Panel {
  waiting: boolean;
  away: boolean;
}

/** One board's panel, the same string for every viewer. */
export function renderPanel(panel: Panel): string {
  return panelTemplate(panelContext(panel));
}

export function renderPage(page: Page): string {
  return pageTemplate({ ...page, panels: page.panels.map(panelContext) });
}

/**
 * What goes over the socket: rendered panels by element id, each to be morphed in place (htmx's `hx-partial`), and the
 * time (epoch milliseconds) at which they were sent.
 */
export function renderFrame(panels: Iterable<[id: string, html: string]>, now: number): string {
  const partials = [...panels, ['clock', clockTemplate({ now })]];
  return partials
    .map(([id, html]) => `<hx-partial hx-target="#${id}" hx-swap="outerMorph">${html}</hx-partial>`)
    .join('');
}

function panelContext(panel: Panel): PanelContext {
  return { ...panel, waiting: panel.state === 'waiting', away: panel.state === 'away' };
}
