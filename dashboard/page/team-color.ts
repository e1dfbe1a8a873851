import type { BoardDefinition } from '../../contract/board.ts';
import type { LiveBoard } from '../boards/live-board.ts';
import type { Row } from '../boards/record.ts';

/*
 * A team has one color on all boards. It agrees with a color word in the team's name, differs from the colors
 * of all other shown teams, and stays. A hash of the name picks among the possible colors, so replicas of the
 * dashboard agree without talking to each other. Only when that color is taken does the order of appearance
 * decide, and replicas can differ.
 */

/** The column that has the name of the team a row belongs to. */
const TEAM_COLUMN = 'team_name';

/** The style sheet has the same. Neighbors in this order are easy to tell apart. */
const HUES = [
  ...['red', 'green', 'violet', 'amber', 'sky', 'pink', 'lime', 'indigo', 'orange', 'teal', 'magenta'],
  ...['yellow', 'blue', 'mint'],
] as const;
const GRAYS = ['gray', 'warm-gray', 'cool-gray'] as const;
const SHADES = ['mid', 'deep', 'pale', 'muted-mid', 'muted-deep', 'muted-pale'] as const;

/** Which of the style sheet's colors. */
export interface TeamColor {
  hue: (typeof HUES | typeof GRAYS)[number];
  shade: (typeof SHADES)[number];
}

/** All colors of the style sheet. */
export const PALETTE: readonly TeamColor[] = SHADES.flatMap((shade) => {
  const hues = shade.startsWith('muted') ? HUES : [...HUES, ...GRAYS];
  return hues.map((hue) => ({ hue, shade }));
});

/**
 * Words in names, and the colors that agree with them: hues, each in all its shades or in those like the
 * named ones.
 */
const AGREEING: [words: string, ...colors: string[]][] = [
  ['red crimson scarlet ruby cherry', 'red mid deep'],
  ['maroon burgundy', 'red deep', 'pink deep'],
  ['salmon coral peach apricot', 'red pale', 'orange pale', 'pink pale'],
  ['orange tangerine', 'orange mid pale', 'amber pale'],
  ['rust copper bronze', 'orange'],
  ['brown tan beige chocolate khaki sepia cream', 'orange muted', 'amber muted'],
  ['amber gold honey', 'amber mid pale', 'yellow pale'],
  ['yellow lemon', 'yellow pale', 'amber pale'],
  ['olive', 'yellow deep muted-mid', 'lime deep'],
  ['lime chartreuse', 'lime mid pale'],
  ['green emerald jade', 'green', 'mint', 'lime'],
  ['mint', 'mint mid pale', 'green pale'],
  ['teal', 'teal'],
  ['turquoise aqua cyan', 'teal mid pale', 'sky pale'],
  ['azure sky', 'sky mid pale', 'blue pale'],
  ['blue cobalt sapphire', 'blue', 'sky'],
  ['navy', 'blue deep', 'indigo deep'],
  ['indigo', 'indigo', 'violet deep'],
  ['violet purple amethyst', 'violet', 'indigo pale', 'magenta deep'],
  ['lavender lilac mauve', 'violet pale', 'indigo pale', 'violet muted'],
  ['plum', 'violet deep', 'magenta deep'],
  ['magenta fuchsia orchid', 'magenta', 'pink pale'],
  ['pink rose', 'pink pale muted-mid', 'magenta pale'],
  ['white snow', 'gray pale', 'warm-gray pale', 'cool-gray pale', 'gray mid'],
  ['ivory pearl', 'warm-gray pale mid', 'yellow muted-pale', 'amber muted-pale'],
  ['silver', 'cool-gray pale mid', 'gray pale mid', 'blue muted-pale'],
  ['gray grey slate ash', 'gray', 'cool-gray', 'warm-gray'],
  ['black onyx ebony charcoal', 'gray deep', 'cool-gray deep', 'warm-gray deep'],
];

const COLORS_BY_WORD = new Map(
  AGREEING.flatMap(([words, ...colors]) => {
    const agreeing = PALETTE.filter(({ hue, shade }) =>
      colors.some((color) => {
        const [agreeingHue, ...like] = color.split(' ');
        return hue === agreeingHue && (like.length === 0 || like.some((part) => shade.includes(part)));
      }),
    );
    return words.split(' ').map((word) => [word, agreeing]);
  }),
);

/** A word for a color, or one that begins with it, such as Bluebirds; the first decides, as in Sky Blue. */
const COLOR_WORD = new RegExp(`(?<!\\p{L})(?:${[...COLORS_BY_WORD.keys()].join('|')})`, 'iu');

/** How many teams are remembered: one that leaves the boards may come back. */
const MAX_REMEMBERED = 500;

export class TeamColors {
  readonly #boards: readonly LiveBoard[];
  readonly #now: () => number;
  /** By the team's name, the newest last. */
  readonly #colors = new Map<string, TeamColor>();

  /**
   * @param boards on which a team can be shown
   * @param now epoch milliseconds
   */
  constructor(boards: readonly LiveBoard[], now: () => number) {
    this.#boards = boards;
    this.#now = now;
  }

  /** The color of a row's team, which it keeps; undefined for a row of no team. */
  of(definition: BoardDefinition, row: Row): TeamColor | undefined {
    const team = findTeamName(definition, row);
    if (team !== undefined && !this.#colors.has(team)) this.#giveColors(new Set([...this.#shown(), team]));
    return team === undefined ? undefined : this.#colors.get(team);
  }

  #giveColors(shown: ReadonlySet<string>): void {
    // In the order of names, so that replicas that start together agree.
    for (const team of [...shown].sort()) {
      if (!this.#colors.has(team)) this.#colors.set(team, this.#choose(team, shown));
    }
    for (const team of this.#colors.keys()) {
      if (this.#colors.size <= MAX_REMEMBERED) break;
      if (!shown.has(team)) this.#colors.delete(team);
    }
  }

  #choose(team: string, shown: ReadonlySet<string>): TeamColor {
    // One that no shown team has and, if possible, no remembered one. When all are taken, teams share.
    const uses = new Map<TeamColor, number>();
    for (const [other, color] of this.#colors) {
      uses.set(color, (uses.get(color) ?? 0) + (shown.has(other) ? MAX_REMEMBERED : 1));
    }
    const preferred = preferredColors(team);
    const fewest = Math.min(...preferred.map((color) => uses.get(color) ?? 0));
    return preferred.find((color) => (uses.get(color) ?? 0) === fewest) as TeamColor;
  }

  #shown(): string[] {
    const now = this.#now();
    return this.#boards.flatMap((board) =>
      (['this', 'last'] as const).flatMap((season) =>
        board.view(now, season).rows.flatMap((row) => findTeamName(board.definition, row) ?? []),
      ),
    );
  }
}

function findTeamName({ columns }: BoardDefinition, row: Row): string | undefined {
  const team = columns.some(({ name }) => name === TEAM_COLUMN) ? row.values.get(TEAM_COLUMN) : undefined;
  return team === undefined ? undefined : String(team);
}

function preferredColors(team: string): TeamColor[] {
  const [word = ''] = COLOR_WORD.exec(team) ?? [];
  const agreeing = COLORS_BY_WORD.get(word.toLowerCase()) ?? PALETTE;
  // Muted ones are for when the others are taken.
  const strong = agreeing.filter(({ shade }) => !shade.startsWith('muted'));
  const start = strong.length === 0 ? 0 : hashName(team) % strong.length;
  return [...strong.slice(start), ...strong.slice(0, start), ...agreeing.slice(strong.length)];
}

function hashName(text: string): number {
  // FNV-1a, finished as in MurmurHash: names that differ in one letter must not get neighboring colors.
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
