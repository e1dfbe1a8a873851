import type { z } from 'zod';
import type { Period, RowColumn } from '../../contract/board.ts';
import type { EventTraits } from '../../contract/event.ts';
import type { Rule } from '../rule.ts';

/** A field of a leaderboard that only some types have. */
export interface TypeField<Schema extends z.ZodType = z.ZodType> {
  schema: Schema;
  /** Begins in lower case when the names of the types that have the field go before it. */
  description: string;
  /** About its value, where there is one; CEL knows it as `self.<field>`. */
  rules?: Rule<z.output<Schema>>[];
}

export type TypeFields = Record<string, TypeField>;

/** What a resource says in the fields of a type. */
export type Values<Fields extends TypeFields> = {
  [Name in keyof Fields]?: z.output<Fields[Name]['schema']> | undefined;
};

/** What boards of all types have. */
export interface CommonBoard {
  name: string;
  title: string;
  size: number;
  /** Whether the board's changes are kept. */
  history: boolean;
}

/** What a board's type says of it to those who write and read its topic. */
export interface BoardShape {
  period: Period;
  /** The fields of a row; the rank is the first. */
  columns: RowColumn[];
  /** Columns that say who holds a rank. */
  identity: string[];
  /** The column that is drawn as a bar. */
  bar?: string;
  /** Set: the bar is the first of two columns against the other; the label says what against what. */
  strip?: { recent: string; usual: string; label: string };
  /** Set: rows with the same value of this column share a rank. */
  rankedBy?: string;
  /** Set: there is a board for each value of this column of the events. */
  by?: { name: string; maxValues: number };
}

/** A type of leaderboard: all that is particular to it, but for its SQL. */
export interface BoardType<Board extends CommonBoard & { type: string }, Fields extends TypeFields> {
  name: Board['type'];
  /** What it ranks: ends the sentence that begins with its name. */
  summary: string;
  /** The board of it that a resource has which names no boards. */
  default?: { name: string; title?: string };
  /** Whether it is a board of teams, which needs events that name them. */
  ranksTeams?: true;
  fields: Fields;
  /** About the values of its fields together. */
  rules: Rule<Values<Fields>>[];
  /**
   * Its fields with every default filled in and durations in milliseconds; `where` and `people` are added by
   * themselves.
   */
  resolve(values: Values<Fields>): Omit<Board, keyof CommonBoard | 'type' | 'where' | 'people'>;
  shape(board: Board): BoardShape;
  /**
   * Name of the SELECT in sql/, which is rendered with the board's own fields; undefined: its SQL is in the
   * resource.
   */
  template?: string;
  /** What the SELECT needs in addition to these fields, and to what all boards know of the events. */
  templateValues?(board: Board, events: EventTraits): Record<string, number | string | boolean | undefined>;
}

/** The type, with the types of its fields as they are declared. */
export function boardType<Board extends CommonBoard & { type: string }>() {
  return <Fields extends TypeFields>(type: BoardType<Board, Fields>) => type;
}
