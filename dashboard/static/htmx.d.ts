import type { Htmx } from 'htmx.org';

declare global {
  const htmx: Htmx;
}
