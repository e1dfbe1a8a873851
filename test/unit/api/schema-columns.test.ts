import { describe, expect, it } from 'vitest';
import { AvroSchemaError } from '../../../api/avro-columns.ts';
import { needsSchema } from '../../../api/gameanalytics.ts';
import { chooseColumns, findSchemaUse, withColumns } from '../../../api/schema-columns.ts';
import { resource } from '../../../testkit/resources/resource.ts';

const AVRO = { format: 'avro-confluent' };
const field = (name: string, type: unknown) => ({ name, type });
const registered = (...fields: object[]) => ({
  schema: JSON.stringify({ type: 'record', name: 'Match', fields }),
});

const OWN = [
  field('user_id', 'string'),
  field('team_id', ['null', 'string']),
  field('team_name', 'string'),
  field('score', 'int'),
  field('event_time_millis', { type: 'long', logicalType: 'timestamp-millis' }),
];
const MATCH = [
  field('player', 'string'),
  field('clan', { type: 'record', name: 'Clan', fields: [field('id', 'string'), field('tag', 'string')] }),
  field('points', 'double'),
  field('at', { type: 'long', logicalType: 'timestamp-millis' }),
  field('country', 'string'),
  field('odd', ['int', { type: 'array', items: 'int' }]),
  field('unused', 'bytes'),
];
const MAPPED = {
  ...AVRO,
  fields: { userId: 'player', teamId: '`clan`.id', score: 'points', time: 'at', timeUnit: 'Timestamp' },
};
const COUNT = { name: 'players', type: 'TopPlayers' };

/** The columns of a resource by a schema's fields, as name and type. */
function columnsOf(spec: { events: object; leaderboards?: object[] }, fields: object[]): string[] {
  return chooseColumns(findSchemaUse(resource(spec)), registered(...fields)).map(
    ({ name, type }) => `${name} ${type}`,
  );
}

it('needs the schema of Avro without columns that no injector writes', () => {
  const needs = (spec: object) => needsSchema(resource({ ...spec }).spec);
  expect(needs({ events: AVRO })).toBe(true);
  expect(needs({ events: { ...AVRO, columns: [{ name: 'a', type: 'INT' }] } })).toBe(false);
  expect(needs({ events: AVRO, injector: {} })).toBe(false);
  expect(needs({})).toBe(false);
});

describe('the columns of a schema that are used', () => {
  it('are the fields of an event by default, a time in the unit that the resource takes it for', () => {
    expect(columnsOf({ events: AVRO }, [...OWN, field('unused', 'int')])).toEqual([
      'user_id STRING',
      'team_id STRING',
      'team_name STRING',
      'score BIGINT',
      'event_time_millis BIGINT',
    ]);
    const events = { ...AVRO, fields: { teamId: 'team_id', timeUnit: 'Timestamp' } };
    expect(columnsOf({ events }, OWN)).toEqual([
      'user_id STRING',
      'team_id STRING',
      'score BIGINT',
      'event_time_millis TIMESTAMP_LTZ(3)',
    ]);
  });

  it.each([
    ['mapped', [COUNT], ''],
    ['those of by', [{ ...COUNT, by: 'country' }], 'country'],
    ['those of where', [{ ...COUNT, where: "`country` <> 'unused' -- unused" }], 'country'],
    ['those of the value', [{ ...COUNT, score: 'Best', of: 'CHAR_LENGTH(country) * 2' }], 'country'],
    ['those of a query', [query('SELECT 1, e.country, COUNT(*) FROM valid_events e')], 'country'],
    ['all that a query selects', [query('SELECT 1, e.* FROM valid_events e')], 'country unused'],
    ['all of a query', [query('SELECT DISTINCT * FROM valid_events')], 'country unused'],
  ])('are %s', (_, leaderboards, others) => {
    const columns = columnsOf({ events: MAPPED, leaderboards }, MATCH).map((column) => column.split(' ')[0]);
    expect(columns.join(' ')).toBe(`player clan points at ${others}`.trim());
  });

  function query(text: string): object {
    const columns = [
      { name: 'rnk', type: 'BIGINT' },
      { name: 'a', type: 'STRING' },
    ];
    return { name: 'own', type: 'Query', columns, query: text };
  }

  const complaint = (spec: { events: object; leaderboards?: object[] }, fields: object[]) => {
    try {
      return columnsOf(spec, fields);
    } catch (error) {
      if (error instanceof AvroSchemaError) return error.message;
      throw error;
    }
  };

  it('must be there, and be columns', () => {
    expect(complaint({ events: AVRO }, OWN.slice(0, -2))).toBe(
      'it has no field score (events.fields.score by default); it has no field event_time_millis (events.fields.time by default)',
    );
    const events = { ...MAPPED, fields: { ...MAPPED.fields, userId: 'playerId', eventId: 'odd' } };
    expect(complaint({ events }, MATCH)).toBe(
      'it has no field playerId (events.fields.userId); it has the field odd (events.fields.eventId), of which no column can be made: it may be BIGINT or ARRAY<BIGINT>, and no type holds both',
    );
    expect(complaint({ events: MAPPED, leaderboards: [{ ...COUNT, by: 'region' }] }, MATCH)).toBe(
      'it has no field region (by of players)',
    );
  });

  it('must be names where boards are by them', () => {
    const fields = [...OWN, field('ratio', 'double'), field('country', ['null', 'string'])];
    const byRatio = { events: AVRO, leaderboards: [{ ...COUNT, by: 'ratio' }] };
    expect(complaint(byRatio, fields)).toBe(
      'its field ratio (by of players) is DOUBLE, not text, a whole number or BOOLEAN',
    );
    expect(complaint({ ...byRatio, leaderboards: [{ ...COUNT, by: 'country' }] }, fields)).toContain(
      'country STRING',
    );
  });

  it('need not be there where an expression only looks like one', () => {
    const events = { ...MAPPED, fields: { ...MAPPED.fields, teamName: 'CURRENT_DATE', eventId: 'LOWER(x)' } };
    expect(complaint({ events }, MATCH)).toHaveLength(4);
  });

  it('must be one at least', () => {
    const fields = { userId: 'LOWER(player)', score: '1', time: '0' };
    expect(complaint({ events: { ...AVRO, fields }, leaderboards: [COUNT] }, OWN)).toBe(
      'it has none of the fields that are used',
    );
  });

  it.each([
    ['no JSON', { schema: '{' }, /^it is not JSON: /],
    ['Protobuf', { schema: 'message A {}', schemaType: 'PROTOBUF' }, 'it is not Avro but PROTOBUF'],
    ['a field twice', registered(...OWN, field('score', 'long')), /^its columns cannot be used: .*twice/],
    ['no record', { schema: '"string"' }, 'it is not an Avro schema in JSON'],
    [
      'a row that is too wide',
      registered(
        ...OWN.slice(1),
        field('user_id', {
          type: 'record',
          name: 'Wide',
          fields: Array.from({ length: 200 }, (_, i) => field(`field_${i}`, 'string')),
        }),
      ),
      /^its columns cannot be used: user_id: /,
    ],
  ])('are none of %s', (_, schema, message) => {
    const use = findSchemaUse(resource({ events: AVRO }));
    expect(() => chooseColumns(use, schema)).toThrow(message);
  });
});

describe('a resource with the columns of a schema', () => {
  const byCountry = { events: AVRO, leaderboards: [{ ...COUNT, by: 'country' }] };

  it('has them as if it named them', () => {
    const columns = [{ name: 'country', type: 'STRING' }];
    const { resource: complete } = withColumns(resource(byCountry), columns);
    expect(complete).toEqual(resource({ ...byCountry, events: { ...AVRO, columns } }));
  });

  it('is held to the rules of columns', () => {
    expect(withColumns(resource(byCountry), [{ name: 'country', type: 'DOUBLE' }]).problems).toEqual([
      { path: 'spec.leaderboards', message: expect.stringMatching(/^by must be a column .*, of players: /) },
    ]);
    for (const type of ["STRING) WITH ('a' = 'b'", 'NOTHING'])
      expect(withColumns(resource(byCountry), [{ name: 'country', type }]).problems).toEqual([
        { path: 'spec.events.columns', message: 'must be columns of the schema' },
      ]);
  });
});
