import { describe, expect, it } from 'vitest';
import { API_VERSION, KIND } from '../../../api/gameanalytics.ts';
import { parseGameAnalytics } from '../../../api/parse.ts';
import { gameAnalyticsMutations, specSchema } from '../../../testkit/resources/gameanalytics-mutations.ts';
import { grown, leaves, type Mutation, mutations, shrunk } from '../../../testkit/resources/mutations.ts';
import type { Schema } from '../../../tools/docs/structural-schema.ts';

const holding = (schema: Schema): Schema => ({ type: 'object', properties: { field: schema } });

/** What a field is set to that has this value now. */
function valuesFor(schema: Schema, value: unknown): { valid: unknown[]; refused: unknown[] } {
  const made = mutations(holding(schema), [{ field: value }]).filter(
    ({ path, what }) => path === 'field' && what !== 'missing',
  );
  const values = (wanted: Mutation['outcome']) =>
    made.filter(({ outcome }) => outcome === wanted).map(({ spec }) => spec.field);
  return { valid: values('valid'), refused: values('refused') };
}

describe('a field is set to its boundaries, to another value, and to what is just beyond', () => {
  it.each<[string, Schema, unknown, unknown[], unknown[]]>([
    ['a boolean', { type: 'boolean' }, true, [false], ['text']],
    ['an integer', { type: 'integer', minimum: 1, maximum: 10 }, 4, [1, 10, 7], [0, 11, 1.5, 'text']],
    ['a number', { type: 'number', minimum: 0, maximum: 1 }, 1, [0, 1, 0.5], [-1, 2, 'text']],
    ['a choice', { type: 'string', enum: ['A', 'B'] }, 'A', ['B'], ['Unheard-of', 'a', 7]],
    [
      'a text',
      { type: 'string', pattern: '^[0-9]{1,4}s$', maxLength: 5 },
      '10s',
      ['1s', '1110s', '110s'],
      ['1110ss', '', 7],
    ],
    [
      'a map',
      { type: 'object', maxProperties: 2, additionalProperties: { type: 'string', maxLength: 2 } },
      { a: 'x' },
      [{}, { a0: 'x', a1: 'x' }],
      [{ a0: 'x', a1: 'x', a2: 'x' }, 'text'],
    ],
    [
      'a list',
      {
        type: 'array',
        minItems: 1,
        maxItems: 3,
        items: {
          type: 'object',
          required: ['id'],
          properties: { id: { type: 'string', pattern: '^[a-z0-9]+$', maxLength: 2 } },
        },
        'x-kubernetes-list-type': 'map',
      },
      [{ id: 'a' }, { id: 'b' }],
      [[{ id: 'a' }], [{ id: 'a' }, { id: 'b' }, { id: 'a0' }], [{ id: 'b' }, { id: 'a' }]],
      [
        [],
        [{ id: 'a' }, { id: 'b' }, { id: 'a0' }, { id: 'a1' }],
        [{ id: 'a' }, { id: 'b' }, { id: 'a' }],
        'text',
      ],
    ],
  ])('when it is %s', (_, schema, value, valid, refused) => {
    expect(valuesFor(schema, value)).toEqual({ valid, refused });
  });

  it('and is removed, which is refused where the schema requires it', () => {
    const schema = { ...holding({ type: 'boolean' }), required: ['field'] };
    const missing = (of: Schema) =>
      mutations(of, [{ field: true }]).find(({ what, path }) => what === 'missing' && path === 'field');
    expect(missing(schema)).toMatchObject({ outcome: 'refused', spec: {} });
    expect(missing(holding({ type: 'boolean' }))).toMatchObject({ outcome: 'valid', spec: {} });
  });

  it('and next to an unknown field', () => {
    const unknown = mutations(holding({ type: 'boolean' }), [{ field: true }]).find(
      ({ spec }) => 'unheardOf' in spec,
    );
    expect(unknown).toMatchObject({ path: '', outcome: 'refused', spec: { field: true } });
  });

  it('in the first spec that has it, and no other field changes', () => {
    const schema: Schema = {
      type: 'object',
      properties: { a: { type: 'boolean' }, b: { type: 'boolean' } },
    };
    const made = mutations(schema, [{ a: true }, { a: true, b: true }]);
    expect(made.find(({ path, what }) => path === 'b' && what === 'the other')?.spec).toEqual({
      a: true,
      b: false,
    });
  });

  it('unless no spec has it', () => {
    expect(() => mutations(holding({ type: 'boolean' }), [{}])).toThrow('no spec has the field field');
  });

  it('and to what a table has in place of the valid values, and in addition to the wrong ones', () => {
    const schema: Schema = { type: 'integer', minimum: 1, maximum: 10 };
    const table = {
      field: { valid: [2], refused: [3], reported: [4], unrealisable: [5], needed: true as const },
    };
    const made = mutations(holding(schema), [{ field: 6 }], table).filter(({ path }) => path === 'field');
    expect(made.map(({ outcome, spec }) => [outcome, spec.field])).toEqual([
      ['valid', 2],
      ...[0, 11, 1.5, 'text', 3].map((value) => ['refused', value]),
      ['reported', 4],
      ['unrealisable', 5],
      ['refused', undefined],
    ]);
  });
});

describe('a text', () => {
  const name: Schema = { type: 'string', maxLength: 12, pattern: '^[a-z]([-a-z0-9]*[a-z0-9])?$' };

  it('is shrunk and grown as far as its pattern goes', () => {
    expect(shrunk(name, 'my-name')).toBe('m');
    expect(grown(name, 'my-name')).toBe('mmmmmmy-name');
  });

  it('stays as it is where it cannot grow', () => {
    expect(grown({ type: 'string', maxLength: 9, pattern: '^fixed$' }, 'fixed')).toBe('fixed');
  });
});

describe('the mutations of a GameAnalytics', () => {
  const all = gameAnalyticsMutations();

  it.each(leaves(specSchema()))('set spec.%s right and wrong, and leave it out', (path) => {
    const own = all.filter((mutation) => mutation.path === path);
    const isSet = ({ what }: Mutation) => what !== 'missing';
    expect(own.filter(isSet).some(({ outcome }) => outcome === 'valid' || outcome === 'unrealisable')).toBe(
      true,
    );
    expect(own.filter(isSet).some(({ outcome }) => outcome === 'refused')).toBe(true);
    expect(own.some(({ what }) => what === 'missing')).toBe(true);
  });

  // Our own parser does not count the entries of a map.
  const judged = all.filter(({ path, what }) => path !== 'flink.configuration' || what !== 'too great');

  it('are right and wrong by our own parser too', () => {
    const misjudged = judged.filter(({ spec, outcome }) => {
      const manifest = { apiVersion: API_VERSION, kind: KIND, metadata: { name: 'game' }, spec };
      const isTaken = parseGameAnalytics(manifest).problems === undefined;
      return isTaken !== (outcome === 'valid' || outcome === 'unrealisable');
    });
    expect(misjudged.map(({ path, what }) => `${path} ${what}`)).toEqual([]);
  });
});
