import type { BoardDefinition } from '../../contract/board.ts';
import type { Season } from '../boards/board.ts';
import { MAX_TEXT_LENGTH } from '../boards/record.ts';

/*
 * What a page shows, as its URL says it: a URL that is shared shows others the same.
 */

/** What is shown: what is sent to a viewer depends on this alone. */
export interface BoardFilter {
  /** The name of the one board that is shown; undefined: all. */
  board?: string | undefined;
  season: Season;
  /** Whether boards of people alone are shown in place of those that count robots too. */
  people?: true | undefined;
  /** Which values are shown, by the names of boards by value; of others, the first. Not set: of all. */
  values?: Readonly<Record<string, string>> | undefined;
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

/** The state of the page of one board, or of all, by its query. */
export function parsePageState(query: Query, board?: string): PageState {
  const { season, q, theme } = query;
  return {
    board,
    season: parseSeason(season, board),
    people: parsePeople(query),
    values: parseValues(query),
    search: typeof q === 'string' ? q.trim().slice(0, MAX_SEARCH_LENGTH) : '',
    theme: THEMES.find((known) => known === theme) ?? 'auto',
  };
}

/** What a socket asks for. A name that no board has shows none. */
export function parseBoardFilter(query: Query): BoardFilter {
  const board = typeof query.board === 'string' ? query.board : undefined;
  return {
    board,
    season: parseSeason(query.season, board),
    people: parsePeople(query),
    values: parseValues(query),
  };
}

function parsePeople({ people }: Query): BoardFilter['people'] {
  return people === 'true' ? true : undefined;
}

/** What a parameter of the URL begins with that says which value of a board is shown. */
const BY = 'by.';

/** No resource has more boards. */
const MOST_VALUES = 16;

function parseValues(query: Query): BoardFilter['values'] {
  const asked = Object.entries(query)
    .flatMap(([name, value]): [string, string][] =>
      name.startsWith(BY) && typeof value === 'string' && value !== ''
        ? [[name.slice(BY.length), value.slice(0, MAX_TEXT_LENGTH)]]
        : [],
    )
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, MOST_VALUES);
  return asked.length === 0 ? undefined : Object.fromEntries(asked);
}

/** The name of the parameter that says which value of a board is shown. Boards of a pair share it. */
export function valueParameter(board: BoardDefinition): string {
  return `${BY}${valueName(board)}`;
}

/** The value that a filter asks for of a board; undefined: none. */
export function askedValue(board: BoardDefinition, { values }: BoardFilter): string | undefined {
  const name = valueName(board);
  return board.by && values && Object.hasOwn(values, name) ? values[name] : undefined;
}

function valueName({ name, peopleOf }: BoardDefinition): string {
  return peopleOf ?? name;
}

/** A board that counts robots too, and the one of people alone, by their names. */
export interface BoardPair {
  all: string;
  people: string;
}

/** The pair that a board is one of. */
export function findPair(
  boards: readonly { definition: BoardDefinition }[],
  board: BoardDefinition,
): BoardPair | undefined {
  const all = valueName(board);
  const people = boards.find(({ definition }) => definition.peopleOf === all);
  return people && { all, people: people.definition.name };
}

/** Of each pair the one that is asked for, in the place of the one that counts robots too. */
function chooseOfPairs<Shown extends { definition: BoardDefinition }>(
  boards: readonly Shown[],
  people: BoardFilter['people'],
): Shown[] {
  return boards
    .filter(({ definition }) => definition.peopleOf === undefined)
    .map((board) => {
      const other = boards.find(({ definition }) => definition.peopleOf === board.definition.name);
      return people && other ? other : board;
    });
}

/**
 * The boards that a filter shows, and of which season. Of a season that is over, boards with seasons alone
 * are shown; where there are none, all are shown as they are now.
 */
export function shownBoards<Shown extends { definition: BoardDefinition }>(
  boards: readonly Shown[],
  { board, season, people }: BoardFilter,
): { boards: Shown[]; season: Season } {
  const named =
    board === undefined
      ? chooseOfPairs(boards, people)
      : boards.filter(({ definition }) => definition.name === board);
  const withSeasons = named.filter(({ definition }) => definition.period?.kind === 'season');
  return season !== 'this' && withSeasons.length > 0
    ? { boards: withSeasons, season }
    : { boards: named, season: 'this' };
}

const EPOCH_MILLIS = /^\d{1,16}$/;

/** Seasons of different boards begin at different times: only one board has an earlier one than the last. */
function parseSeason(season: unknown, board: string | undefined): Season {
  if (season === 'last') return 'last';
  return board !== undefined && typeof season === 'string' && EPOCH_MILLIS.test(season)
    ? Number(season)
    : 'this';
}

/** The query of a state in a URL; empty for the default state. */
export function formatQuery(state: Omit<PageState, 'board'>): string {
  const { season, people, search, theme, values = {} } = state;
  const shown = Object.entries(values).map(([board, value]) => [`${BY}${board}`, value]);
  return toQuery({
    season: seasonParameter(season),
    people: peopleParameter(people),
    q: search || undefined,
    theme: theme === 'auto' ? undefined : theme,
    ...Object.fromEntries(shown),
  });
}

/** How a URL says which season is shown; undefined for the default. */
export function seasonParameter(season: Season): string | undefined {
  return season === 'this' ? undefined : String(season);
}

/** How a URL says that boards of people alone are shown; undefined for the default. */
export function peopleParameter(people: BoardFilter['people']): string | undefined {
  return people ? 'true' : undefined;
}

/** A query of the parameters that are set, with its question mark; empty without any. */
export function toQuery(parameters: Record<string, string | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, value);
  return query.size === 0 ? '' : `?${query}`;
}
