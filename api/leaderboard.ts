import { z } from 'zod';
import type { TypeField, TypeFields } from './boards/board-type.ts';
import { byRules } from './boards/by.ts';
import { scoreRules } from './boards/score.ts';
import { inWords } from './boards/shared-fields.ts';
import { BOARD_TYPES, getBoardType, type Leaderboard } from './boards/types.ts';
import { integer } from './integer.ts';
import { ownName } from './object-name.ts';
import { type Rule, withRules } from './rule.ts';

/** Names of boards that would collide with the pipeline's own topics. */
const RESERVED_NAMES = ['user-score', 'pipeline-stats'];

/** The fields that only some types have. */
const TYPE_FIELDS: TypeFields = Object.assign({}, ...BOARD_TYPES.map(({ fields }) => fields));

function typesWith(field: string): string[] {
  return BOARD_TYPES.filter(({ fields }) => field in fields).map(({ name }) => name);
}

/** Optional, as a structural schema has no unions. */
function typeField(name: string, { schema, description }: TypeField): z.ZodType {
  const isSentence = /^[A-Z]/.test(description);
  return schema
    .optional()
    .describe(isSentence ? description : `${typesWith(name).join(', ')}: ${description}`);
}

const fields = z.strictObject({
  name: ownName().describe(
    'Name of the leaderboard, unique in this resource. Its topic is <resource>-<name>.',
  ),
  type: z
    .enum(BOARD_TYPES.map(({ name }) => name))
    .describe(`What is ranked. ${BOARD_TYPES.map(({ name, summary }) => `${name}: ${summary}.`).join(' ')}`),
  title: z
    .string()
    .min(1)
    .max(80)
    .optional()
    .describe('Heading on the dashboard. Default: the name in words.'),
  size: integer(1, 1000)
    .default(10)
    .describe(
      'How many ranks are shown. The topic holds the ranks up to the next power of two from 16 (at most 1000), so that a size can change within it without a restart of the job; a greater change recomputes only this board.',
    ),
  history: z
    .boolean()
    .default(false)
    .describe(
      'Keeps the board’s changes in the topic <resource>-<name>-history, from which none is compacted away, so that the board at an earlier time can be asked for.',
    ),
  ...Object.fromEntries(Object.entries(TYPE_FIELDS).map(([name, field]) => [name, typeField(name, field)])),
});

type Fields = z.output<typeof fields> & { where?: string; people?: boolean } & Record<string, unknown>;

function isOnlyForItsTypes(field: string): Rule<Fields> {
  const types = typesWith(field);
  return {
    cel: `!has(self.${field}) || self.type in [${types.map((type) => `'${type}'`).join(', ')}]`,
    message: `${field} is only for ${types.join(', ')}`,
    field,
    holds: (board) => board[field] === undefined || types.includes(board.type),
  };
}

function ofType(
  type: Leaderboard['type'],
  { cel, message, holds }: Rule<Record<string, unknown>>,
): Rule<Fields> {
  return {
    ...(cel && { cel: `self.type != '${type}' || ${cel}` }),
    message,
    holds: (board) => board.type !== type || (holds?.(board) ?? true),
  };
}

function ofField(field: string, { cel, message, holds }: Rule<unknown>): Rule<Fields> {
  return {
    ...(cel && { cel: `!has(self.${field}) || ${cel}` }),
    message,
    field,
    holds: (board) => board[field] === undefined || (holds?.(board[field]) ?? true),
  };
}

function rulesOfTypes(): Rule<Fields>[] {
  const seen = new Set<TypeField>();
  return BOARD_TYPES.flatMap(({ name, rules, fields }) => {
    const added = Object.entries(fields).filter(([, field]) => !seen.has(field));
    for (const [, field] of added) seen.add(field);
    return [
      ...rules.map((rule) => ofType(name, rule)),
      ...added.flatMap(([name, field]) => (field.rules ?? []).map((rule) => ofField(name, rule))),
    ];
  });
}

const rules: Rule<Fields>[] = [
  ...Object.keys(TYPE_FIELDS).map(isOnlyForItsTypes),
  {
    cel: `!(self.name in [${RESERVED_NAMES.map((name) => `'${name}'`).join(', ')}])`,
    message: `the names ${RESERVED_NAMES.join(' and ')} are taken by the pipeline’s own topics`,
    field: 'name',
    holds: (board) => !RESERVED_NAMES.includes(board.name),
  },
  {
    cel: '!(has(self.season) && has(self.calendar))',
    message: 'season and calendar exclude each other',
    holds: ({ season, calendar }) => season === undefined || calendar === undefined,
  },
  ...byRules,
  ...scoreRules,
  ...rulesOfTypes(),
];

/** One entry of spec.leaderboards: a flat object, because a structural schema has no unions. */
export const leaderboard = withRules(fields, rules).transform(resolve);

function resolve(board: Fields): Leaderboard {
  const { name, size, history, type, where, people } = board;
  return {
    name,
    title: board.title ?? inWords(name),
    size,
    history,
    ...(where === undefined ? {} : { where }),
    ...(people && { people }),
    type,
    ...getBoardType(board).resolve(board),
  } as Leaderboard;
}
