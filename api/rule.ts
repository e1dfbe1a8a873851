import type { z } from 'zod';

/**
 * A rule about a value in its two forms: CEL, which the API server holds, and a predicate, which our own
 * parser holds where no API server stands before it. Only CEL can compare with the old value, so a rule may
 * lack `holds`; what the schema already says to the API server, or CEL cannot say, lacks `cel`.
 */
export interface Rule<T> {
  cel?: string;
  message: string;
  /** What our parser says in place of the message, which cannot tell of the value. */
  explain?(value: T): string;
  /** Field of the value that the message is about, when it is not the value as a whole. */
  field?: string;
  holds?(value: T): boolean;
}

/** The schema with rules attached, for the parser and for the printed CRD. */
export function withRules<S extends z.ZodType>(schema: S, rules: Rule<z.output<S>>[]): S {
  const parsed = rules.reduce<S>((checked, rule) => withPredicate(checked, rule), schema);
  return parsed.meta({
    ...parsed.meta(),
    'x-kubernetes-validations': rules
      .filter(({ cel }) => cel)
      .map(({ cel, message, field }) => ({ rule: cel, message, ...(field && { fieldPath: `.${field}` }) })),
  });
}

function withPredicate<S extends z.ZodType>(schema: S, rule: Rule<z.output<S>>): S {
  const { holds, message, field, explain = () => message } = rule;
  if (!holds) return schema;
  return schema.refine((value) => holdsOrUnreadable(holds, value), {
    error: ({ input }) => explain(input as z.output<S>),
    ...(field && { path: [field] }),
    // Judge even when other fields are wrong, so that one run reports every problem.
    when: () => true,
  });
}

/** Whether no two entries have the same name. Those without one have a message of their own. */
export function namesAreUnique(entries: { name: string }[]): boolean {
  const names = entries.map((entry) => entry?.name).filter((name) => name !== undefined);
  return new Set(names).size === names.length;
}

/** A rule that cannot read its value says nothing: the malformed field has its own message already. */
function holdsOrUnreadable<T>(holds: (value: T) => boolean, value: T): boolean {
  try {
    return holds(value);
  } catch {
    return true;
  }
}
