import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const CHROMIUMS = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

/** A slow machine's idea of soon; passing takes far less. */
const PATIENCE_MILLIS = 60_000;

/** The Chromium of this machine, which talks to nobody on its own; `args` are more of its own. */
export async function startChromium(cleanup: AsyncDisposableStack, args: string[] = []): Promise<Browser> {
  const executablePath = CHROMIUMS.find((path) => path && existsSync(path));
  if (!executablePath) throw new Error('No Chromium was found. Install one, or set CHROMIUM to its path.');
  const browser = await chromium.launch({
    executablePath,
    // Chromium refuses to run as root inside its sandbox.
    chromiumSandbox: process.getuid?.() !== 0,
    args: ['--disable-background-networking', '--disable-component-update', '--disable-sync', ...args],
  });
  cleanup.defer(() => browser.close());
  return browser;
}

/** A person's look at a page, and everything a page should not do while they look. */
export interface Visit {
  page: Page;
  /**
   * Errors and warnings of the console (refusals by the content security policy are among them), exceptions,
   * dialogs, and reloading.
   */
  complaints: string[];
}

/** Opens a page as a visitor who was never there. */
export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(PATIENCE_MILLIS);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('dialog', async (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  await page.goto(url);
  page.on('framenavigated', () => complaints.push('reloaded'));
  return { page, complaints };
}

/** How long and how often to look for something that will be true soon. */
export const SOON = { timeout: PATIENCE_MILLIS, interval: 100 };
