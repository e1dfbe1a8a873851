import { expect, it } from 'vitest';
import { flinkImageProblems } from '../../../../operator/controller/flink-image.ts';
import { resource } from '../../../../testkit/resources/resource.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;

function isAllowed(image: string | undefined, ...allowed: string[]): boolean {
  return flinkImageProblems(resource({ flink: { image } }), allowed).length === 0;
}

it.each([
  ['the image itself', 'registry.example/flink:2.3', 'registry.example/flink:2.3'],
  ['one of a registry', 'registry.example/games/flink:2.3', 'registry.example/'],
  ['one of a folder', 'registry.example/games/flink:2.3', 'registry.example/games/'],
  ['a tag of a repository', 'registry.example/flink:2.3', 'registry.example/flink:'],
  ['a digest of a repository', `registry.example/flink@${DIGEST}`, 'registry.example/flink@'],
  ['the second of several', 'flink:2', 'registry.example/', 'flink:2'],
])('%s is allowed', (_, image, ...allowed) => {
  expect(isAllowed(image, ...allowed)).toBe(true);
});

it.each([
  ['of another registry whose name begins the same', 'registry.example.org/flink:2.3', 'registry.example/'],
  ['another tag', 'registry.example/flink:2.3.1', 'registry.example/flink:2.3'],
  ['a digest where tags are allowed', `registry.example/flink@${DIGEST}`, 'registry.example/flink:'],
  ['one whose name holds an allowed one', 'evil.example/registry.example/flink:2', 'registry.example/'],
  ['an image below one that is allowed', 'registry.example/flink/mine:1', 'registry.example/flink'],
])('%s is not', (_, image, ...allowed) => {
  expect(isAllowed(image, ...allowed)).toBe(false);
});

it('any is allowed where none are named, and the operator’s own everywhere', () => {
  expect(flinkImageProblems(resource({ flink: { image: 'mine:1' } }), undefined)).toEqual([]);
  expect(isAllowed(undefined, 'registry.example/')).toBe(true);
});

it('says in a sentence what is wrong', () => {
  const made = resource({ flink: { image: 'mine:1' } });
  expect(flinkImageProblems(made, ['registry.example/', 'flink:2'])).toEqual([
    {
      path: 'spec.flink.image',
      message: 'must be an image that the operator allows, registry.example/ or flink:2, not "mine:1"',
    },
  ]);
});
