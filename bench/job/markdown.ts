/** A Markdown table; columns of numbers are aligned to the right, which all but the first are. */
export function markdownTable(head: string[], rows: string[][]): string {
  const rule = head.map((_, i) => (i === 0 ? '---' : '---:'));
  return `${[head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`;
}

/** Bytes in megabytes (10^6). */
export function megabytes(bytes: number): string {
  return `${bytes < 1e7 ? (bytes / 1e6).toFixed(1) : (bytes / 1e6).toFixed(0)} MB`;
}

/** A count in thousands or millions: 52k, 1.5M. */
export function short(count: number): string {
  if (count >= 1e6) return `${Number((count / 1e6).toFixed(2))}M`;
  return count >= 10_000 ? `${(count / 1e3).toFixed(0)}k` : count.toFixed(0);
}
