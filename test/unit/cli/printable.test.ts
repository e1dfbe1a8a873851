import { expect, it } from 'vitest';
import { printable } from '../../../cli/printable.ts';

it('control characters, and those that turn or break a line, are shown as JavaScript writes them', () => {
  expect(printable('a\x1b[31mb\x07\r\tc\x9b')).toBe('a\\u001b[31mb\\u0007\\u000d\\u0009c\\u009b');
  expect(printable('user\u202e\u2066name\u2028')).toBe('user\\u202e\\u2066name\\u2028');
});

it('all else stays, lines too', () => {
  expect(printable('Zoë 🦊\nمرحبا')).toBe('Zoë 🦊\nمرحبا');
});
