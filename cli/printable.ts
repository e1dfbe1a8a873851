/**
 * A text that a terminal shows as it is, however it came about: control characters as they are written in
 * JavaScript.
 */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n]|[\p{Bidi_Control}\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u${code.toString(16).padStart(4, '0')}`;
  });
}
