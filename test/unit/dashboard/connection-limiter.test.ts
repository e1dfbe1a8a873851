import { expect, it } from 'vitest';
import { ConnectionLimiter } from '../../../dashboard/web/connection-limiter.ts';

it('as long as there are places, anybody gets one', () => {
  const places = new ConnectionLimiter<string>(2);
  expect(places.hasRoom('a')).toBe(true);
  expect(places.take('a', 'a1')).toBeUndefined();
  expect(places.take('a', 'a2')).toBeUndefined();
});

it('once all are taken, a newcomer takes the last of the address with the most, and no one crowds out their like', () => {
  const places = new ConnectionLimiter<string>(4);
  for (const one of ['a1', 'a2', 'a3']) places.take('a', one);
  places.take('b', 'b1');
  expect(places.hasRoom('a')).toBe(false);
  expect(places.hasRoom('c')).toBe(true);
  expect(places.take('c', 'c1')).toBe('a3');
  places.release('a', 'a3');
  expect([places.hasRoom('a'), places.hasRoom('b'), places.hasRoom('c')]).toEqual([false, false, false]);
  expect(places.hasRoom('d')).toBe(true);
  places.release('a', 'a1');
  expect(places.hasRoom('a')).toBe(true);
});

it('who leaves twice gives back one place', () => {
  const places = new ConnectionLimiter<string>(2);
  places.take('a', 'a1');
  places.take('b', 'b1');
  places.release('a', 'a1');
  places.release('a', 'a1');
  places.take('c', 'c1');
  expect(places.hasRoom('c')).toBe(false);
});

it('the addresses of one IPv6 network are one', () => {
  const places = new ConnectionLimiter<string>(2);
  places.take('2001:db8::1', 'one');
  places.take('2001:db8:0:0:ffff::2', 'two');
  expect(places.hasRoom('2001:db8::3')).toBe(false);
  expect(places.hasRoom('2001:db8:0:1::1')).toBe(true);
  expect(places.take('2001:db8:0:1::1', 'three')).toBe('two');
});
