/** What TypeScript has no types of yet: JSON whose numbers stay as they are written. */
interface ExactJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
}

const EXACT_JSON = JSON as unknown as ExactJson;

/**
 * The value of a board's record without the rows of some players. The others keep their ranks. Numbers stay
 * as they are written: totals may be larger than a number here can be.
 *
 * @param player the field of a row that names a player
 * @returns the same value if it has none of them, or is not the record of a board
 */
export function withoutPlayers(
  value: Buffer | null,
  player: string,
  isErased: (id: unknown) => boolean,
): Buffer | null {
  const record = parse(value);
  if (!Array.isArray(record?.rows)) return value;
  const rows = record.rows.filter(
    (row: unknown) => !isErased((row as Record<string, unknown> | null)?.[player]),
  );
  if (rows.length === record.rows.length) return value;
  return Buffer.from(JSON.stringify({ ...record, rows }));
}

function parse(value: Buffer | null): { rows?: unknown } | undefined {
  try {
    const record = EXACT_JSON.parse(value?.toString() ?? 'null', (_, part, { source = '' }) =>
      typeof part === 'number' ? EXACT_JSON.rawJSON(source) : part,
    );
    return record === null ? undefined : (record as { rows?: unknown });
  } catch {
    return undefined;
  }
}
