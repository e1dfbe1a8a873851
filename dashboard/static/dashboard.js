/*
 * What the browser adds to the server's HTML: the connection pill, times that tick, and rows that glide to their new
 * rank. Boards themselves come over htmx's WebSocket and are morphed in place.
 */

const clock = () => document.querySelector('#clock').value;
let sent = clock();
let serverAhead = sent - Date.now();

const CONNECTION = {
  'htmx:ws:after:connection': () => 'live',
  'htmx:ws:close': () => 'disconnected',
  'htmx:ws:before:connection': ({ attempt }) => (attempt === 0 ? 'connecting' : 'reconnecting'),
};
for (const [event, stateOf] of Object.entries(CONNECTION)) {
  document.addEventListener(event, ({ detail }) => {
    const pill = document.querySelector('#connection');
    pill.dataset.state = pill.textContent = stateOf(detail.connection);
  });
}

const two = (number) => String(number).padStart(2, '0');

/** Milliseconds as `41:03`, `2:05:00`, or `3 d 02:05:00`. */
function countdown(millis) {
  const seconds = Math.max(0, Math.ceil(millis / 1000));
  const [days, hours] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24];
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  if (days > 0) return `${days} d ${two(hours)}:${rest}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

/** Milliseconds as `just now`, `5 s ago`, `3 min ago`, … */
function age(millis) {
  const seconds = Math.floor(millis / 1000);
  if (seconds < 2) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  return seconds < 86400 ? `${Math.floor(seconds / 3600)} h ago` : `${Math.floor(seconds / 86400)} d ago`;
}

/** Writes only what differs, so that its own writing does not call it again and again. */
function tick() {
  const now = Date.now() + serverAhead;
  for (const time of document.querySelectorAll('time[data-since], time[data-until]')) {
    const { since, until } = time.dataset;
    const text = until ? `in ${countdown(until - now)}` : age(now - since);
    if (time.textContent !== text) time.textContent = text;
  }
}

const glides = matchMedia('(prefers-reduced-motion: no-preference)');
const offsets = new WeakMap();

/** A row keeps its element while its rank changes: it starts where it was and moves to where it is. */
function glide() {
  for (const row of document.querySelectorAll('tbody tr')) {
    const moved = (offsets.get(row) ?? row.offsetTop) - row.offsetTop;
    offsets.set(row, row.offsetTop);
    if (moved === 0 || !glides.matches) continue;
    row.animate([{ translate: `0 ${moved}px` }, { translate: '0 0' }], {
      duration: 400,
      easing: 'ease-in-out',
    });
  }
}

// Observers run before the next paint: nobody sees a time without its wording, or a row jump.
new MutationObserver(() => {
  if (clock() !== sent) {
    sent = clock();
    serverAhead = sent - Date.now();
  }
  tick();
  glide();
}).observe(document.body, {
  subtree: true,
  childList: true,
  characterData: true,
  attributeFilter: ['value'],
});

setInterval(tick, 1000);
tick();
glide();
