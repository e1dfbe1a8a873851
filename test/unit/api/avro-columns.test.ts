import { describe, expect, it } from 'vitest';
import { AvroSchemaError, avroColumns } from '../../../api/avro-columns.ts';
import { normalizeColumnType } from '../../../api/column-type.ts';
import { EVENT_SCHEMA } from '../../../injector/avro.ts';

const record = (...types: unknown[]) => ({
  type: 'record',
  name: 'Match',
  namespace: 'game',
  fields: types.map((type, i) => ({ name: `f${i}`, type })),
});
const typeOf = (type: unknown) => avroColumns(record(type)).columns[0]?.type;
const whyNot = (type: unknown) => avroColumns(record(type)).leftOut[0]?.why;

const CLAN = { type: 'record', name: 'Clan', fields: [{ name: 'id', type: 'string' }] };
const decimal = (precision: number) => ({ type: 'bytes', logicalType: 'decimal', precision, scale: 2 });

describe('the columns of an Avro schema', () => {
  it('are those of the injector’s, of which every type is one that a resource can name', () => {
    const { columns, leftOut } = avroColumns(EVENT_SCHEMA);
    expect(leftOut).toEqual([]);
    expect(columns.map(({ name }) => name)).toContain('event_time_millis');
    for (const { type } of columns) expect(normalizeColumnType(type)).toBe(type);
  });

  it.each<[unknown, string]>([
    ['int', 'BIGINT'],
    [['null', 'long'], 'BIGINT'],
    ['float', 'DOUBLE'],
    [{ type: 'string' }, 'STRING'],
    [{ type: 'string', logicalType: 'uuid' }, 'STRING'],
    [{ type: 'enum', name: 'Level', symbols: ['A'] }, 'STRING'],
    [{ type: 'fixed', name: 'Id', size: 16 }, 'BYTES'],
    [{ type: 'int', logicalType: 'date' }, 'DATE'],
    [{ type: 'long', logicalType: 'timestamp-micros' }, 'TIMESTAMP_LTZ(3)'],
    [['null', { type: 'long', logicalType: 'local-timestamp-millis' }], 'TIMESTAMP(3)'],
    [{ type: 'long', logicalType: 'of our own' }, 'BIGINT'],
    [decimal(18), 'DECIMAL(18, 2)'],
    [decimal(39), 'BYTES'],
    [['null', 'int', 'double'], 'DOUBLE'],
    [['int', 'string'], 'STRING'],
    [{ type: 'array', items: ['null', CLAN] }, 'ARRAY<ROW<`id` STRING>>'],
    [{ type: 'map', values: 'int' }, 'MAP<STRING, BIGINT>'],
  ])('%j is %s', (type, expected) => {
    expect(typeOf(type)).toBe(expected);
    expect(normalizeColumnType(expected)).toBe(expected);
  });

  it('finds a type by its name, in its namespace and in another', () => {
    const other = { type: 'enum', name: 'Level', namespace: 'other', symbols: ['A'] };
    const { columns } = avroColumns(record(CLAN, 'Clan', 'game.Clan', other, 'other.Level'));
    expect(columns.map(({ type }) => type)).toEqual([
      ...Array(3).fill('ROW<`id` STRING>'),
      'STRING',
      'STRING',
    ]);
  });

  it.each<[unknown, string]>([
    ['null', 'nothing is known of its type null'],
    [['null'], 'it is always null'],
    ['Nobody', 'nothing is known of its type Nobody'],
    [['string', CLAN], 'it may be STRING or ROW<`id` STRING>, and no type holds both'],
    [
      { type: 'record', name: 'Node', fields: [{ name: 'next', type: ['null', 'Node'] }] },
      'it has more than 10 levels, or contains itself',
    ],
  ])('has none for %j, and says why', (type, why) => {
    expect(whyNot(type)).toBe(why);
  });

  it.each([
    null,
    1,
    'string',
    [],
    {},
    { type: 'array', items: 'int' },
    record(),
    { type: 'record', fields: [1] },
  ])('are none of %j', (schema) => {
    expect(() => avroColumns(schema)).toThrow(AvroSchemaError);
  });
});
