/*
 * What the browser adds to the server's HTML: the connection pill, times that tick, rows that slide into
 * place, a search as you type, and panels held still. Boards come over htmx's WebSocket and are morphed in
 * place.
 */

import { isFound } from './search.js';

/** @type {<E extends HTMLElement = HTMLElement>(selector: string, root?: ParentNode) => E[]} */
const $$ = (selector, root = document) => /** @type {any} */ ([...root.querySelectorAll(selector)]);
/** An element that is always there. @type {(selector: string, root?: ParentNode) => HTMLElement} */
const $ = (selector, root = document) => /** @type {HTMLElement} */ (root.querySelector(selector));
const clock = () => /** @type {HTMLDataElement} */ ($('#clock'));
const search = /** @type {HTMLInputElement} */ ($('#search'));

/* The server's clock. */

let sent = clock().value;
let serverAhead = Number(sent) - Date.now();
/** An open page reloads when the server has another release. */
const { release } = clock().dataset;
let leaving = false;

function followClock() {
  const { value, dataset } = clock();
  if (value === sent) return;
  sent = value;
  serverAhead = Number(sent) - Date.now();
  if (dataset.release === release || leaving) return;
  leaving = true;
  // Not all at once, and not again and again while replicas differ.
  setTimeout(() => location.reload(), 5000 + 10_000 * Math.random());
}

/* The pill: the state of the data, or of the connection while there is none. */

let connection = 'connecting';

function showConnection() {
  const held = $$('.panel').every((panel) => 'held' in panel.dataset);
  const { state = '', label = '' } = $('#status').dataset;
  const pill = $('#connection');
  const [shown, text] =
    connection !== 'connected' ? [connection, connection] : held ? ['paused', 'paused'] : [state, label];
  if (pill.dataset.state !== shown) pill.dataset.state = shown;
  if (pill.textContent !== text) pill.textContent = text;
}

/** @type {Record<string, (connection: { attempt: number }) => string>} */
const CONNECTION = {
  'htmx:ws:after:connection': () => 'connected',
  'htmx:ws:close': () => 'disconnected',
  'htmx:ws:before:connection': ({ attempt }) => (attempt === 0 ? 'connecting' : 'reconnecting'),
};
for (const [event, stateOf] of Object.entries(CONNECTION)) {
  document.addEventListener(event, (happened) => {
    connection = stateOf(/** @type {CustomEvent} */ (happened).detail.connection);
    showConnection();
  });
}

/* Times. */

/** @type {(number: number) => string} */
const two = (number) => String(number).padStart(2, '0');

/** Milliseconds as `41:03`, `2:05:00`, or `3 d 02:05:00`. @param {number} millis */
function countdown(millis) {
  const seconds = Math.max(0, Math.ceil(millis / 1000));
  const [days, hours] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24];
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  if (days > 0) return `${days} d ${two(hours)}:${rest}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

/** Milliseconds as `just now`, `5 s ago`, `3 min ago`, … @param {number} millis */
function age(millis) {
  const seconds = Math.floor(millis / 1000);
  if (seconds < 2) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  return seconds < 86400 ? `${Math.floor(seconds / 3600)} h ago` : `${Math.floor(seconds / 86400)} d ago`;
}

const serverNow = () => Date.now() + serverAhead;

/**
 * Writes only what differs: its own writing calls it again. A paused panel's times stand still with its rows.
 */
function tick() {
  const now = serverNow();
  /** @type {HTMLTimeElement[]} */
  const times = $$('time[data-since], time[data-until]');
  for (const time of times) {
    if (time.closest('[data-held] .board')) continue;
    const { since, until } = time.dataset;
    const text = until ? `in ${countdown(Number(until) - now)}` : age(now - Number(since));
    if (time.textContent !== text) time.textContent = text;
  }
}

/* Rows that move. */

const glides = matchMedia('(prefers-reduced-motion: no-preference)');
/** @type {WeakMap<HTMLElement, number>} */
const ranks = new WeakMap();

/**
 * A row keeps its element when its rank changes. It slides a quarter of a row into its place, from the side
 * that it came from. Sliding the whole way would show it at places that its rank contradicts.
 */
function glide() {
  for (const row of $$('tbody tr')) {
    const rank = Number(row.dataset.rank);
    const climbed = (ranks.get(row) ?? rank) - rank;
    ranks.set(row, rank);
    if (!climbed || !glides.matches) continue;
    row.animate(
      { translate: [`0 ${25 * Math.sign(climbed)}%`, '0 0'] },
      { duration: 400, easing: 'ease-out' },
    );
  }
}

/* The search. The server does it for those who have no script. */

/** What the server sent knows nothing of a search: it is marked again before anyone sees it. */
function markFound() {
  const sought = search.value.trim();
  let count = 0;
  for (const row of $$('tbody tr')) {
    const names = $$('.who bdi, .text bdi', row).map(({ textContent }) => textContent);
    const found = isFound(names, sought);
    if (found !== 'found' in row.dataset) row.toggleAttribute('data-found', found);
    if (found) count += 1;
  }
  const text = sought === '' ? '' : count === 0 ? 'not among the shown ranks' : `${count} found`;
  if ($('#found').textContent !== text) $('#found').textContent = text;
}

/** The URL, and all links to other views, tell of the search. */
function noteSearch() {
  const sought = search.value.trim();
  /** @type {(href: string) => string} */
  const withSearch = (href) => {
    const url = new URL(href);
    if (sought === '') url.searchParams.delete('q');
    else url.searchParams.set('q', sought);
    return url.href;
  };
  history.replaceState(null, '', withSearch(location.href));
  /** @type {HTMLAnchorElement[]} */
  const links = $$('.toolbar a, .panel h2 a, .tools a:not([download])');
  for (const link of links) link.href = withSearch(link.href);
  /** @type {HTMLInputElement[]} */
  const kept = $$('.picker [name="q"]');
  for (const input of kept) {
    input.value = sought;
    input.disabled = sought === '';
  }
}

search.addEventListener('input', () => {
  markFound();
  noteSearch();
});
$('search form').addEventListener('submit', (event) => {
  event.preventDefault();
  const behavior = glides.matches ? 'smooth' : 'instant';
  document.querySelector('tr[data-found]')?.scrollIntoView({ block: 'center', behavior });
  // Writing the text again makes screen readers repeat it; the fade shows that the search ran.
  const found = $('#found');
  found.textContent = `${found.textContent}`;
  found.animate({ opacity: [0, 1] }, 300);
});

/* The picker of a value: one that is chosen from the list needs no button. */

/** @type {HTMLInputElement[]} */
const pickers = $$('.picker [list]');
for (const picker of pickers) {
  picker.addEventListener('input', (event) => {
    const isTyped = event instanceof InputEvent && event.inputType !== 'insertReplacementText';
    if (!isTyped) picker.form?.requestSubmit();
  });
}

/* Panels held still. */

/** What would have been shown, by the element that it is for. @type {Map<Element, string>} */
const heldBack = new Map();

document.addEventListener('htmx:before:swap', ({ detail: { tasks } }) => {
  for (const task of tasks) {
    const panel = task.target?.closest('[data-held]');
    if (!panel) continue;
    heldBack.set(task.target, task.fragment.firstElementChild.outerHTML);
    panel.toggleAttribute('data-news', true);
    task.swapSpec = { style: 'none' };
  }
});

/** @type {(panel: HTMLElement) => boolean} */
const isHeld = (panel) => 'held' in panel.dataset;

/** @type {(panel: HTMLElement, held: boolean) => void} */
function hold(panel, held) {
  if (held === isHeld(panel)) return;
  panel.toggleAttribute('data-held', held);
  panel.toggleAttribute('data-news', false);
  const [at, age] = /** @type {[HTMLTimeElement, HTMLTimeElement]} */ ($$('.held time', panel));
  if (held) {
    const now = serverNow();
    at.dateTime = age.dateTime = new Date(now).toISOString();
    at.textContent = `${at.dateTime.slice(11, 19)} UTC`;
    age.dataset.since = String(now);
    return;
  }
  for (const [target, text] of heldBack) {
    if (!panel.contains(target)) continue;
    heldBack.delete(target);
    htmx.swap({ sourceElement: $('main'), target, text, swap: 'outerMorph' });
  }
}

function showHeld() {
  for (const panel of $$('.panel')) {
    const verb = isHeld(panel) ? 'Resume' : 'Pause';
    const button = $('.pause', panel);
    button.textContent = verb;
    button.ariaLabel = `${button.ariaLabel}`.replace(/^\w+/, verb);
  }
  const all = $$('.panel').every(isHeld);
  $('#pause-all').toggleAttribute('data-held', all);
  $('#pause-all span').textContent = all ? 'Resume all' : 'Pause all';
  tick();
  showConnection();
}

for (const button of $$('.pause')) {
  button.addEventListener('click', () => {
    const panel = /** @type {HTMLElement} */ (button.closest('.panel'));
    hold(panel, !isHeld(panel));
    showHeld();
  });
}
$('#pause-all').addEventListener('click', () => {
  const held = !$$('.panel').every(isHeld);
  for (const panel of $$('.panel')) hold(panel, held);
  showHeld();
});

/* New leaders, for screen readers: announced from time to time, not at each change. */

const ANNOUNCE_MILLIS = 30_000;
/** @type {(panel: HTMLElement) => string | null | undefined} */
const leaderOf = (panel) => $$('tr[data-rank="1"] .who bdi', panel)[0]?.textContent;
const said = new Map($$('.panel').map((panel) => [panel, leaderOf(panel)]));

setInterval(() => {
  const news = $$('.panel').flatMap((panel) => {
    const leader = leaderOf(panel);
    if (!leader || leader === said.get(panel)) return [];
    said.set(panel, leader);
    return `${$('h2', panel).textContent}: ${leader} leads.`;
  });
  if (news.length > 0) $('#announcer').textContent = news.join(' ');
}, ANNOUNCE_MILLIS);

// Observers run before the next paint, so that no time is seen unformatted and no row jumps.
new MutationObserver(() => {
  followClock();
  showConnection();
  tick();
  markFound();
  glide();
}).observe(document.body, {
  subtree: true,
  childList: true,
  characterData: true,
  attributeFilter: ['value'],
});

setInterval(tick, 1000);
tick();
markFound();
glide();
