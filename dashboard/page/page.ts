import type { BoardDefinition } from '../../contract/board.ts';
import { seasonFormat, type Timestamp } from './format.ts';
import {
  type BoardPair,
  formatQuery,
  type PageState,
  peopleParameter,
  seasonParameter,
  THEMES,
  type Theme,
  toQuery,
} from './page-state.ts';
import type { Panel } from './panel.ts';

/** The page for a first visit; complete without JavaScript. */
export interface Page {
  title: string;
  /** The document's. */
  heading: string;
  kind: 'all' | 'one';
  theme: Theme;
  colorScheme: string;
  search: string;
  /** How many of the shown rows are found, in words. */
  found: string;
  /** HTML of the parts that change, as the socket sends them. */
  status: string;
  traffic: string;
  freshness: string;
  notCounted: string;
  panels: PagePanel[];
  seasons: Choice[];
  /** Boards of all, or of people alone; none where no board has the other. */
  players: Choice[];
  /** Those of one board that are over and kept, the newest first, and who won them. */
  pastSeasons: (Omit<Choice, 'label'> & { began: Timestamp; winner: string })[];
  themes: Choice[];
  /** What a search keeps of the URL's query. */
  kept: { name: string; value: string }[];
  /** From here to the place of the assets, the API and the socket: the page works under any base path. */
  root: string;
  /** URL of the page of all boards; undefined on it. */
  home: string | undefined;
  /** URL of this page without its query. */
  here: string;
  /** URL of the socket. */
  socket: string;
  /** URLs of the assets, from the root. */
  assets: Record<string, string>;
  /** Names what is served: it differs where the page, its assets or its boards do. */
  release: string;
  /** The server's time in epoch milliseconds. */
  now: number;
}

/** A panel, with what never changes about it. */
export interface PagePanel extends Omit<PageBoard, 'by' | 'pastSeasons'> {
  /** Which other values can be shown, on boards by value. */
  picker: Picker | undefined;
  /** URL of the board's own page, and whether to offer it. */
  href: string;
  expand: boolean;
  /** URLs of the board's data; undefined where there is none. */
  downloads: { csv: string; json: string } | undefined;
}

/** A board on the page. */
export interface PageBoard {
  /** The element id of what changes in the panel. */
  id: string;
  name: string;
  title: string;
  /** HTML of what changes. */
  html: string;
  /** That of how its places changed; empty where it is not shown. */
  rankChart: string;
  isEmpty: boolean;
  /** Those that are over and kept, the newest first; none but for the page of one board. */
  pastSeasons: { startMillis: number; endMillis: number; winner: string }[];
  /**
   * On boards by value: what the column and the parameter of the URL are called, the value that is shown, and
   * those that are kept.
   */
  by: { label: string; parameter: string; shown: string | undefined; values: readonly string[] } | undefined;
}

/** Chooses the value whose board a panel shows. */
interface Picker {
  id: string;
  label: string;
  /** Name of the parameter of the URL. */
  parameter: string;
  /** The first values; any other can be written. */
  options: readonly string[];
  /** What it keeps of the URL's query, but for the search. */
  kept: { name: string; value: string }[];
}

interface Choice {
  label: string;
  href: string;
  current: boolean;
}

export interface PageContent
  extends Pick<
    Page,
    'title' | 'found' | 'status' | 'traffic' | 'freshness' | 'notCounted' | 'assets' | 'release' | 'now'
  > {
  state: PageState;
  panels: PageBoard[];
  /** Of those boards that are shown, in the order of the panels. */
  definitions: BoardDefinition[];
  /** The pair that one of them is of, if any is. */
  pair: BoardPair | undefined;
}

const THEME_LABELS = { auto: 'Auto', light: 'Light', dark: 'Dark' };

/** What the page shows in a state. Pure. */
export function createPage({ state, panels, definitions, pair, ...content }: PageContent): Page {
  const { board, season, people, search, theme } = state;
  const root = board === undefined ? '' : '../';
  const here = board ?? './';
  const link = (change: Partial<PageState>, other = board) =>
    `${board === undefined ? here : other}${formatQuery({ ...state, ...change })}`;
  const [first] = panels;
  return {
    ...content,
    heading: board !== undefined && first ? `${first.title} · ${content.title}` : content.title,
    kind: board === undefined ? 'all' : 'one',
    theme,
    colorScheme: theme === 'auto' ? 'light dark' : theme,
    search,
    panels: panels.map((panel) => pagePanel(panel, state, root)),
    seasons: definitions.some(({ period }) => period?.kind === 'season')
      ? [
          { label: 'This season', href: link({ season: 'this' }), current: season === 'this' },
          { label: 'Last season', href: link({ season: 'last' }), current: season === 'last' },
        ]
      : [],
    players: pair
      ? [
          { label: 'All', href: link({ people: undefined }, pair.all), current: !people },
          { label: 'People', href: link({ people: true }, pair.people), current: people === true },
        ]
      : [],
    pastSeasons: panels.flatMap(({ pastSeasons }, i) => {
      const format = seasonFormat(definitions[i]?.period);
      return pastSeasons.map(({ startMillis, endMillis, winner }) => ({
        began: format(startMillis),
        winner,
        href: link({ season: startMillis }),
        current: typeof season === 'number' && startMillis <= season && season < endMillis,
      }));
    }),
    themes: THEMES.map((one) => ({
      label: THEME_LABELS[one],
      href: link({ theme: one }),
      current: theme === one,
    })),
    kept: parameters({ ...state, search: '' }),
    root,
    home: board === undefined ? undefined : `../${formatQuery(state)}`,
    here,
    socket: `${root}ws${socketQuery(state, panels)}`,
  };
}

function parameters(state: Omit<PageState, 'board'>): { name: string; value: string }[] {
  return [...new URLSearchParams(formatQuery(state))].map(([name, value]) => ({ name, value }));
}

/** More would make the page heavy. */
const MOST_OPTIONS = 250;

function createPicker({ id, by }: PageBoard, state: PageState): Picker | undefined {
  if (!by) return undefined;
  const { label, parameter, values } = by;
  return {
    id: `${id}-value`,
    label,
    parameter,
    options: values.slice(0, MOST_OPTIONS),
    kept: parameters({ ...state, search: '' }).filter((kept) => kept.name !== parameter),
  };
}

function pagePanel(board: PageBoard, state: PageState, root: string): PagePanel {
  const { by, pastSeasons: _, ...panel } = board;
  const { name } = panel;
  const query = toQuery({ season: seasonParameter(state.season), by: by?.shown });
  const url = `${root}api/boards/${name}`;
  const isNone = panel.isEmpty && (state.season !== 'this' || by !== undefined);
  return {
    ...panel,
    picker: createPicker(board, state),
    href: `${root}boards/${name}${formatQuery(state)}`,
    expand: state.board === undefined,
    downloads: isNone ? undefined : { csv: `${url}.csv${query}`, json: `${url}${query}` },
  };
}

/** The value that is shown stays the same one, also when another comes to be the first. */
function socketQuery({ board, season, people }: PageState, panels: readonly PageBoard[]): string {
  const shown = panels.flatMap(({ by }) => (by ? [[by.parameter, by.shown]] : []));
  return toQuery({
    board,
    season: seasonParameter(season),
    people: peopleParameter(people),
    ...Object.fromEntries(shown),
  });
}

/** How many rows of some panels are found, in words. */
export function foundIn(panels: readonly Panel[]): string {
  const count = panels.flatMap(({ rows }) => rows).filter(({ found }) => found).length;
  return count === 0 ? 'not among the shown ranks' : `${count} found`;
}
