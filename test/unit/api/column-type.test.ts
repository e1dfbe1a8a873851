import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalizeColumnType } from '../../../api/column-type.ts';

describe('the type of a column', () => {
  it.each([
    ['STRING', 'STRING'],
    [' int ', 'INT'],
    ['DECIMAL(18, 2)', 'DECIMAL(18, 2)'],
    ['decimal(9)', 'DECIMAL(9)'],
    ['TIMESTAMP_LTZ(3)', 'TIMESTAMP_LTZ(3)'],
    ['ARRAY<STRING>', 'ARRAY<STRING>'],
    ['map<string,int>', 'MAP<STRING, INT>'],
    ['ROW<id STRING, `a b` ROW<x INT>>', 'ROW<`id` STRING, `a b` ROW<`x` INT>>'],
    ['ARRAY<ROW<date DATE>>', 'ARRAY<ROW<`date` DATE>>'],
  ])('may be %j', (text, normalized) => {
    expect(normalizeColumnType(text)).toBe(normalized);
  });

  it.each([
    '',
    'VARCHAR',
    'toString',
    'INT NOT NULL',
    'INT, x INT',
    'STRING) WITH (',
    "STRING METADATA FROM 'timestamp'",
    'STRING AS x',
    'INT(3)',
    'DECIMAL(1, 2, 3)',
    'DECIMAL()',
    'ARRAY<INT, INT>',
    'MAP<INT>',
    'ROW<>',
    'ROW<STRING>',
    'ROW<id STRING',
    'ROW<1 INT>',
    'ROW<`a\nb` INT>',
    'INT -- all',
    `${'ARRAY<'.repeat(11)}INT${'>'.repeat(11)}`,
  ])('is not %j', (text) => {
    expect(normalizeColumnType(text)).toBeUndefined();
  });

  it('stays as it is once it is normalized, whatever it was', () => {
    const words = [
      'ROW',
      'ARRAY',
      'MAP',
      'INT',
      'STRING',
      'DECIMAL',
      '<',
      '>',
      '(',
      ')',
      ',',
      '`x`',
      'id',
      '3',
      ' ',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words), { maxLength: 12 }), (parts) => {
        const normalized = normalizeColumnType(parts.join(' '));
        fc.pre(normalized !== undefined);
        expect(normalizeColumnType(normalized as string)).toBe(normalized);
      }),
    );
  });
});
