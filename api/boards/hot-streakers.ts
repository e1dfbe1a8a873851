import { celSeconds, duration, millis } from '../duration.ts';
import type { Rule } from '../rule.ts';
import { boardType, type Values } from './board-type.ts';
import { decimalColumn, ofScores, PLACE, PLAYER, TEAM } from './columns.ts';
import { type ConditionalBoard, conditionFields, inRange } from './shared-fields.ts';

/** The board of players whose recent average rose most. All windows are multiples of `everyMillis`. */
export interface HotStreakersBoard extends ConditionalBoard {
  type: 'HotStreakers';
  shortWindowMillis: number;
  longWindowMillis: number;
  memoryMillis: number;
  everyMillis: number;
}

/** Defaults of the windows, which several rules must also assume. */
const DEFAULTS = { shortWindow: '10s', longWindow: '60s', memory: '5m', every: '5s' } as const;
type Window = keyof typeof DEFAULTS;

const window = (name: Window, what: string) => {
  const description = `${what}. Default ${DEFAULTS[name]}.`;
  return { schema: duration(description), description };
};

const fields = {
  ...conditionFields,
  shortWindow: window('shortWindow', 'the recent window, a multiple of `every`'),
  longWindow: window('longWindow', 'the window it is compared with, a multiple of `every`'),
  memory: window('memory', 'how long a player’s best moment is remembered, a multiple of `every`'),
  every: window('every', 'how often the board is drawn, in event time'),
};

type Streaks = Values<typeof fields>;

const lengthMillis = (values: Streaks, name: Window): number => millis(values[name] ?? DEFAULTS[name]);
const celLength = (name: Window): string =>
  celSeconds(`(has(self.${name}) ? self.${name} : '${DEFAULTS[name]}')`);

function multipleOfEvery(name: Exclude<Window, 'every'>): Rule<Streaks> {
  return {
    cel: `${celLength('every')} == 0 || (${celLength(name)}) % (${celLength('every')}) == 0`,
    message: `${name} must be a multiple of every`,
    holds: (values) => !(lengthMillis(values, name) % lengthMillis(values, 'every')),
  };
}

const rules: Rule<Streaks>[] = [
  {
    cel: `(${celLength('every')} >= 1 && ${celLength('every')} <= 3600)`,
    message: 'every must be from 1s to 1h',
    holds: (values) => inRange(lengthMillis(values, 'every'), '1s', '1h'),
  },
  multipleOfEvery('shortWindow'),
  multipleOfEvery('longWindow'),
  multipleOfEvery('memory'),
  {
    cel: `(${celLength('shortWindow')} > 0 && ${celLength('shortWindow')} < ${celLength('longWindow')})`,
    message: 'shortWindow must be shorter than longWindow',
    holds: (values) =>
      lengthMillis(values, 'shortWindow') > 0 &&
      lengthMillis(values, 'shortWindow') < lengthMillis(values, 'longWindow'),
  },
  {
    cel: `(${celLength('memory')} > 0 && ${celLength('memory')} <= 86400 && ${celLength('longWindow')} <= 86400)`,
    message: 'memory and longWindow must be at most 1d',
    holds: (values) =>
      inRange(lengthMillis(values, 'memory'), '1s', '1d') &&
      lengthMillis(values, 'longWindow') <= millis('1d'),
  },
];

export const hotStreakers = boardType<HotStreakersBoard>()({
  name: 'HotStreakers',
  summary:
    'players by how far their recent average score rose above their longer one; negative scores are left out',
  default: { name: 'hot-streakers' },
  fields,
  rules,
  resolve: (values) => ({
    shortWindowMillis: lengthMillis(values, 'shortWindow'),
    longWindowMillis: lengthMillis(values, 'longWindow'),
    memoryMillis: lengthMillis(values, 'memory'),
    everyMillis: lengthMillis(values, 'every'),
  }),
  shape: ({ everyMillis, shortWindowMillis, longWindowMillis }) => ({
    period: { kind: 'instant', everyMillis },
    columns: [
      PLACE,
      PLAYER,
      TEAM,
      // The averages are those of the player's hottest moment, which may be minutes ago.
      ofScores(decimalColumn('short_term_avg', `${shortWindowMillis / 1000} s avg at peak`, 'decimal')),
      ofScores(decimalColumn('long_term_avg', `${longWindowMillis / 1000} s avg at peak`, 'decimal')),
      decimalColumn('peak_hotness', 'Peak', 'factor'),
      { name: 'peak_at', type: 'BIGINT', shown: { label: 'When', type: 'time' } },
    ],
    identity: ['user_id'],
    bar: 'peak_hotness',
    strip: {
      recent: 'short_term_avg',
      usual: 'long_term_avg',
      label: `${shortWindowMillis / 1000} s against ${longWindowMillis / 1000} s`,
    },
  }),
  template: 'hot-streakers',
  templateValues: ({ longWindowMillis, everyMillis }) => ({ pastMillis: longWindowMillis - everyMillis }),
});
