import { expect, it } from 'vitest';
import { Places } from '../../../dashboard/web/places.ts';

it('as long as there are places, anybody gets one', () => {
  const places = new Places<string>(2);
  expect(places.admits('a')).toBe(true);
  expect(places.take('a', 'a1')).toBeUndefined();
  expect(places.take('a', 'a2')).toBeUndefined();
});

it('once all are taken, a newcomer takes the last of the address with the most, and no one crowds out their like', () => {
  const places = new Places<string>(4);
  for (const one of ['a1', 'a2', 'a3']) places.take('a', one);
  places.take('b', 'b1');
  expect(places.admits('a')).toBe(false);
  expect(places.admits('c')).toBe(true);
  expect(places.take('c', 'c1')).toBe('a3');
  places.leave('a', 'a3');
  expect([places.admits('a'), places.admits('b'), places.admits('c')]).toEqual([false, false, false]);
  expect(places.admits('d')).toBe(true);
  places.leave('a', 'a1');
  expect(places.admits('a')).toBe(true);
});

it('who leaves twice gives back one place', () => {
  const places = new Places<string>(2);
  places.take('a', 'a1');
  places.take('b', 'b1');
  places.leave('a', 'a1');
  places.leave('a', 'a1');
  places.take('c', 'c1');
  expect(places.admits('c')).toBe(false);
});

it('the addresses of one IPv6 network are one', () => {
  const places = new Places<string>(2);
  places.take('2001:db8::1', 'one');
  places.take('2001:db8:0:0:ffff::2', 'two');
  expect(places.admits('2001:db8::3')).toBe(false);
  expect(places.admits('2001:db8:0:1::1')).toBe(true);
  expect(places.take('2001:db8:0:1::1', 'three')).toBe('two');
});
