import { describe, expect, it } from 'vitest';
import { withoutPlayers } from '../../../history/erase.ts';

const erased = new Set<unknown>(['bob']);
const without = (text: string | null) =>
  withoutPlayers(text === null ? null : Buffer.from(text), 'user_id', (id) => erased.has(id))?.toString() ??
  null;

describe('withoutPlayers', () => {
  it('takes out the rows of players, and leaves all else as it is written', () => {
    const row = (id: string, total: string) => `{"rnk":1,"user_id":"${id}","total":${total}}`;
    const record = (...rows: string[]) =>
      `{"season_start":0,"digest":"d1","as_of":1.50,"rows":[${rows.join()}]}`;
    const [ann, bob, cid] = [
      row('ann', '9223372036854775807'),
      row('bob', '2'),
      row('cid "é"'.replaceAll('"', '\\"'), '1.2E7'),
    ];
    expect(without(record(ann, bob, cid))).toBe(record(ann, cid));
    expect(without(record(bob))).toBe(record());
  });

  it.each([
    ['a record without these players', '{ "rows": [{"user_id":"ann"}] }'],
    ['a deletion', null],
    ['what is no board', '{"rows":{"user_id":"bob"}}'],
    ['what has no rows', '{"user_id":"bob"}'],
    ['what is no object', '"bob"'],
    ['what is no JSON', '{"rows":[{"user_id":"bob"}'],
    ['rows that are none', '{"rows":[null,7,"bob"]}'],
  ])('leaves %s', (_, text) => {
    expect(without(text)).toBe(text);
  });
});
