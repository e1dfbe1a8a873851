/* How players and teams are found by a part of their names: by the server in a page, and by the page. */

/** @type {(text: string) => string} */
const fold = (text) => text.normalize('NFKC').toLowerCase();

/**
 * Whether one of the names has the text in it, in capitals or not. No text is in no name.
 *
 * @type {(names: string[], text: string) => boolean}
 */
export const isFound = (names, text) => {
  const sought = fold(text);
  return sought !== '' && names.some((name) => fold(name).includes(sought));
};
