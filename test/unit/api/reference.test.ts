import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { customResourceDefinition } from '../../../api/crd.ts';
import { defaultOf, reference } from '../../support/reference.ts';
import { nodes, type Schema } from '../../support/structural-schema.ts';

const root = customResourceDefinition().spec.versions[0]!.schema.openAPIV3Schema as Schema;

it('docs/resource.md has what the schema says', async () => {
  await expect(reference(root)).toMatchFileSnapshot('../../../docs/resource.md');
});

describe('the table of the README', () => {
  const fields = new Map(nodes(root.properties!.spec!).map(({ path, schema }) => [path, schema]));
  const rows = tableRows();

  it('has only fields that there are, and with their defaults', () => {
    for (const { paths, defaults } of rows) {
      expect(paths.filter((path) => !fields.has(path))).toEqual([]);
      const ofFields = paths.map((path) => defaultOf(fields.get(path)!)).filter((value) => value !== '');
      expect(defaults, paths.join()).toEqual(ofFields);
    }
  });

  it('has every field, or what it is a part of', () => {
    const named = rows.flatMap(({ paths }) => paths);
    const isNamed = (path: string) => named.some((name) => `${path}.`.startsWith(`${name}.`));
    const missing = [...fields].filter(
      ([path, { properties, items }]) => !properties && !items && !isNamed(path.replace('{}', '')),
    );
    expect(missing.map(([path]) => path)).toEqual([]);
  });
});

/** A row names a field by its path, then others that stand beside it by their names alone. */
function tableRows(): { paths: string[]; defaults: string[] }[] {
  const readme = readFileSync('README.md', 'utf8');
  const table = readme.slice(readme.indexOf('## The resource')).match(/(?:^\|.*\n)+/m)![0];
  return table
    .trim()
    .split('\n')
    .slice(2)
    .map((line) => {
      const [names = [], defaults = []] = line.split('|').slice(1).map(quoted);
      const beside = names[0]!.replace(/[^.]*$/, '');
      const paths = names.map((name) => (/.\./.test(name) ? name : beside + name.replace('.', '')));
      return { paths, defaults };
    });
}

function quoted(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, word]) => word!);
}
