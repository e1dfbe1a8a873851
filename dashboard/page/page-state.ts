import type { BoardDefinition } from '../../contract/board.ts';
import type { Season } from '../boards/board.ts';

/*
 * What a page shows, as its URL says it: a URL that is shared shows others the same.
 */

/** What is shown: what is sent to a viewer depends on this alone. */
export interface BoardFilter {
  /** The name of the one board that is shown; null: all. */
  board: string | null;
  season: Season;
}

export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/** What is shown, and how. */
export interface PageState extends BoardFilter {
  /** A player or team to highlight; empty: none. */
  search: string;
  theme: Theme;
}

/** What of a search is longer is cut off. */
const MAX_SEARCH_LENGTH = 100;

/** A URL's query: anyone can write anything into it. */
export type Query = Record<string, unknown>;

/** The state of the page of one board, or with null of all, by its query. */
export function parsePageState(board: string | null, { season, q, theme }: Query): PageState {
  return {
    board,
    season: parseSeason(season),
    search: typeof q === 'string' ? q.trim().slice(0, MAX_SEARCH_LENGTH) : '',
    theme: THEMES.find((known) => known === theme) ?? 'auto',
  };
}

/** What a socket asks for. A name that no board has shows none. */
export function parseBoardFilter({ board, season }: Query): BoardFilter {
  return { board: typeof board === 'string' ? board : null, season: parseSeason(season) };
}

/**
 * The boards that a filter shows, and of which season. Of the last season, boards with seasons alone are
 * shown; where there are none, all are shown as they are now.
 */
export function shownBoards<Shown extends { definition: BoardDefinition }>(
  boards: readonly Shown[],
  { board, season }: BoardFilter,
): { boards: Shown[]; season: Season } {
  const named = boards.filter(({ definition }) => board === null || definition.name === board);
  const withSeasons = named.filter(({ definition }) => definition.period?.kind === 'season');
  return season === 'last' && withSeasons.length > 0
    ? { boards: withSeasons, season }
    : { boards: named, season: 'this' };
}

function parseSeason(season: unknown): Season {
  return season === 'last' ? 'last' : 'this';
}

/** The query of a state in a URL, with its question mark; empty for the default state. */
export function formatQuery({ season, search, theme }: Omit<PageState, 'board'>): string {
  const query = new URLSearchParams();
  if (season !== 'this') query.set('season', season);
  if (search !== '') query.set('q', search);
  if (theme !== 'auto') query.set('theme', theme);
  return query.size === 0 ? '' : `?${query}`;
}
