import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/*
 * Checks the English of code, comments and docs: words with a better one (docs/glossary.md), and lines that
 * are too wide. Prints a line for each place, and ends with 1 when there is any.
 */

/** What not to write, and what to write instead. */
const WORDS: [RegExp, string][] = [
  [/\bwhoever\b/i, 'name who it is, or use the passive'],
  [/\bfor ever\b/i, 'forever'],
  [/\banew\b/i, 'again, or a verb with re-'],
  [/\bgo(es|ing)? on\b|\bwent on\b/, 'continue, resume, keep'],
  [/\b(is|are|was|were|be) (said|told)\b/i, 'say who says it'],
  [/\bbeside\b/i, 'next to, in addition to, besides'],
  [/\bof ours\b/i, 'our'],
  [/\bbe had\b/i, 'is available'],
  [/\bmend(s|ed|ing)?\b/i, 'fix'],
  [/\b(some|every)body\b/i, 'someone, everyone'],
  [/\b(is|was) well\b/i, 'is healthy'],
  [/\b(colour|neighbour|behaviour|honour|favour)/i, 'American spelling'],
  [/\b(real|initial|organ|recogn|normal|serial)is(e|es|ed|er|ing|ation)\b/i, 'American spelling, with z'],
  [/\b(licence|defence|centre|cancelled|cancelling)\b/i, 'American spelling'],
];

const COMMENT_WIDTH = 110;
const PROSE_WIDTH = 120;
/** Text that a program wrote, or that is the law. This file names the words. */
const EXEMPT =
  /^(test\/golden\/|crds\/|package-lock\.json|LICENSE|docs\/resource\.md|testkit\/cluster\/crds\/|tools\/check-prose\.ts)/;
const COMMENT = /^\s*(\/\/ |\/?\*|-- |# )/;
/** Lines of Markdown that cannot be broken: tables, images, links alone in a line. */
const UNBREAKABLE = /^\s*(\||<|\[|!\[)|\]\([^)]*\)/;

interface Place {
  file: string;
  line: number;
  complaint: string;
}

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => /\.(ts|js|hbs|css|md|ya?ml|tpl|txt|cjs)$|^(Makefile|tools\/|\.ci\/)/.test(file))
  .filter((file) => !EXEMPT.test(file));
const places = files.flatMap(check);
for (const { file, line, complaint } of places) process.stderr.write(`${file}:${line}: ${complaint}\n`);
process.exitCode = places.length > 0 ? 1 : 0;

function check(file: string): Place[] {
  const isMarkdown = file.endsWith('.md');
  let inCode = false;
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((text, i) => {
      if (isMarkdown && text.trimStart().startsWith('```')) inCode = !inCode;
      const complaints = [...wrongWords(text), ...tooWide(text, isMarkdown, inCode)];
      return complaints.map((complaint) => ({ file, line: i + 1, complaint }));
    });
}

function wrongWords(text: string): string[] {
  return WORDS.flatMap(([word, instead]) => {
    const [found] = word.exec(text) ?? [];
    return found ? [`"${found}": ${instead}`] : [];
  });
}

function tooWide(text: string, isMarkdown: boolean, inCode: boolean): string[] {
  if (isMarkdown)
    return text.length > PROSE_WIDTH && !inCode && !UNBREAKABLE.test(text)
      ? [`${text.length} characters of prose, more than ${PROSE_WIDTH}`]
      : [];
  return text.length > COMMENT_WIDTH && COMMENT.test(text)
    ? [`a comment of ${text.length} characters, more than ${COMMENT_WIDTH}`]
    : [];
}
