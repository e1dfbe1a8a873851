import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { PageCache } from '../../../dashboard/web/page-cache.ts';

function setUp(renderMillis = 1) {
  const state = { tick: 1, clock: 0, rendered: [] as string[] };
  const cache = new PageCache<{ search: string; theme?: string }>({
    render: ({ search, theme }, marked) => {
      state.clock += marked ? renderMillis : 0;
      const html = `${theme ?? 'auto'} ${search} ${marked ? 'marked' : 'unmarked'}`;
      state.rendered.push(html);
      return html;
    },
    currentTick: () => state.tick,
    clock: () => state.clock,
  });
  const text = (look: { search: string; theme?: string }) => cache.get(look).content.toString();
  return { state, cache, text };
}

describe('a page', () => {
  it('is rendered once per tick and look, and compressed once', async () => {
    const { state, cache } = setUp();
    const pages = Array.from({ length: 9 }, () => cache.get({ search: '' }));
    cache.get({ search: '', theme: 'dark' });
    expect(state.rendered).toHaveLength(2);
    expect(new Set(pages.map(({ content }) => content)).size).toBe(1);
    const [first] = pages;
    expect(first?.encoded('br')).toBe(pages[8]?.encoded('br'));
    expect(brotliDecompressSync((await first?.encoded('br')) ?? '').toString()).toBe('auto  unmarked');
    expect(gunzipSync((await first?.encoded('gzip')) ?? '').toString()).toBe('auto  unmarked');
    state.tick += 1;
    cache.get({ search: '' });
    expect(state.rendered).toHaveLength(3);
  });

  it('marks what a search finds, in a tenth of the time at most', () => {
    const { state, text } = setUp(100);
    expect(text({ search: 'fox' })).toBe('auto fox marked');
    expect(text({ search: 'otter' })).toBe('auto otter unmarked');
    state.clock += 899;
    expect(text({ search: 'otter' })).toBe('auto otter unmarked');
    state.clock += 1;
    expect(text({ search: 'otter' })).toBe('auto otter marked');
  });
});
