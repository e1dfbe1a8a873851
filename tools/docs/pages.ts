import { readdirSync } from 'node:fs';

/** The pages that people read. */
export const PAGES = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'test/README.md',
  'testkit/README.md',
  ...readdirSync('docs', { recursive: true }).map((file) => `docs/${file}`),
].filter((file) => file.endsWith('.md'));

/**
 * All commands of a page: those of its blocks, without comments, and those that a sentence has in backticks.
 */
export function commandsOf(text: string): string[] {
  return [...blocks(text, 'sh').flatMap(lines), ...inSentences(text).filter((code) => COMMAND.test(code))];
}

/** A program that we know, with something to do; variables may come before it. */
const COMMAND = /^([A-Z_]+=\S+ )*(make|npx|kubectl|helm|kind|minikube|docker|tools\/[a-z-]+) /;

export function blocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, block]) => block!,
  );
}

function inSentences(text: string): string[] {
  const sentences = text.replace(/```[\s\S]*?```/g, '');
  return [...sentences.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);
}

/** The lines of a block; what follows a backslash belongs to the line before. */
function lines(block: string): string[] {
  const joined = block.replace(/\s*\\\n\s*/g, ' ').split('\n');
  return joined.map((line) => line.replace(/(^|\s+)#.*$/, '').trim()).filter((line) => line !== '');
}
