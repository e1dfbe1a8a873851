import { type Node, nodes, type Schema } from './structural-schema.ts';

/**
 * What a CRD's schema says of its fields, as a page: a table and the rules for each field of `spec`, and for
 * the status.
 */
export function reference(root: Schema): string {
  const { spec, status } = root.properties as { spec: Schema; status: Schema };
  const fields = Object.entries({ ...spec.properties, status });
  return [
    ...INTRODUCTION,
    ...rules([root, spec].map((schema) => ({ path: '', schema }))),
    ...fields.flatMap(([name, schema]) => section(name, schema)),
  ].join('\n');
}

const INTRODUCTION = [
  '# The resource',
  '',
  '<!-- Printed from api/ by: npx vitest run --project unit -u -->',
  '',
  'Every field of a GameAnalytics, below `spec` unless it says `status`; `kubectl explain gameanalytics.spec` knows them too.',
  '',
];

function section(name: string, schema: Schema): string[] {
  const all = nodes(schema, name);
  const [self, ...inside] = all;
  // A field without fields is its own row; the items of a list have no description of their own.
  const rows = inside.length > 0 ? inside.filter(({ schema }) => schema.description) : [self!];
  const required = new Set(all.flatMap(requiredOf));
  const given = Array.isArray(schema.default) ? ` Default: ${defaultOf(schema)}.` : '';
  return [
    `## ${name}`,
    '',
    ...(inside.length > 0 ? [text(schema.description ?? '') + given, ''] : []),
    '| field | type | default | |',
    '| --- | --- | --- | --- |',
    ...rows.map((node) => row(node, required.has(node.path))),
    '',
    ...rules(all),
  ];
}

function row({ path, schema }: Node, required: boolean): string {
  const given = defaultOf(schema);
  const cells = [
    `\`${path}\``,
    typeOf(schema),
    required ? 'required' : given && `\`${given}\``,
    text(schema.description ?? ''),
  ];
  return `| ${cells.join(' | ')} |`;
}

function typeOf({ type = '', enum: values, minimum, maximum }: Schema): string {
  if (values) return values.map((value) => `\`${value}\``).join(', ');
  const greatest = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  return greatest === undefined ? type : `${type}, ${minimum} to ${greatest}`;
}

/** As the API server fills it in, or as its description has it; an object's is that of its fields. */
function defaultOf({ default: value, description = '', additionalProperties }: Schema): string {
  if (Array.isArray(value)) return value.map(({ name }) => name).join(', ');
  if (typeof value === 'object') return additionalProperties ? '{}' : '';
  return value === undefined ? (/Default (\S+)\.$/.exec(description)?.[1] ?? '') : String(value);
}

function requiredOf({ path, schema }: Node): string[] {
  return (schema.required ?? []).map((name) => `${path}.${name}`);
}

function rules(all: Node[]): string[] {
  const messages = all.flatMap(({ path, schema }) =>
    (schema['x-kubernetes-validations'] ?? []).map(
      ({ message }) => `- ${path && `\`${path}\`: `}${text(message ?? '')}`,
    ),
  );
  return messages.length > 0 ? ['Beyond types and ranges:', '', ...messages, ''] : [];
}

/** What HTML would take for a tag is a name to fill in, and what a table would take for a border a choice. */
function text(words: string): string {
  return words.replaceAll('<', '&lt;').replaceAll('|', '\\|');
}
