import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { customResourceDefinition } from '../../../api/crd.ts';
import { API_VERSION, type GameAnalytics, KIND } from '../../../api/gameanalytics.ts';
import { parseGameAnalytics } from '../../../api/parse.ts';
import { nodes, type Schema, violations, withDefaults } from '../../../tools/docs/structural-schema.ts';

const crd = customResourceDefinition();
const version = crd.spec.versions[0];
const root = version?.schema.openAPIV3Schema as Schema;
const all = nodes(root);
const ours = all.filter(({ path }) => /^(spec|status)/.test(path));

describe('crds/gameanalytics.yaml', () => {
  it('is what the command prints', () => {
    const printed = execFileSync(process.execPath, ['cli/main.ts', 'crd'], { encoding: 'utf8' });
    expect(readFileSync('crds/gameanalytics.yaml', 'utf8'), 'it is stale; print it with: make crds').toBe(
      printed,
    );
  });
});

describe('the CustomResourceDefinition', () => {
  it('has a short name, a category, a status of its own, and columns for what people look for', () => {
    expect(crd.spec.names).toMatchObject({ kind: KIND, shortNames: ['ga'], categories: ['all'] });
    expect(version?.subresources).toEqual({ status: {} });
    expect(version?.additionalPrinterColumns.map(({ name }) => name)).toEqual([
      'Ready',
      'Job',
      'Dashboard',
      'Age',
    ]);
  });

  it('is structural: every node has a type and none has alternatives', () => {
    const forbidden = [
      'oneOf',
      'anyOf',
      'allOf',
      'not',
      '$ref',
      'const',
      'propertyNames',
      '$schema',
      'nullable',
    ];
    const wrong = all.filter(({ schema }) => !schema.type || forbidden.some((key) => key in schema));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('has no object that forbids other fields or mixes named fields with any', () => {
    const wrong = all.filter(
      ({ schema }) =>
        (schema.additionalProperties as unknown) === false ||
        (schema.additionalProperties && schema.properties),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('bounds every string, list and map, or CEL rules would cost too much', () => {
    const unbounded = ours.filter(
      ({ schema }) =>
        (schema.type === 'string' && schema.maxLength === undefined && !schema.enum && !schema.format) ||
        (schema.type === 'array' && schema.maxItems === undefined) ||
        (schema.additionalProperties && schema.maxProperties === undefined),
    );
    expect(unbounded.map(({ path }) => path)).toEqual([]);
  });

  it('describes every field, for kubectl explain', () => {
    const silent = ours.filter(({ path, schema }) => !/(\[\]|\{\})$/.test(path) && !schema.description);
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  it('has a message and an existing field for every rule', () => {
    for (const { path, schema } of all) {
      for (const { rule, message, fieldPath } of schema['x-kubernetes-validations'] ?? []) {
        expect(rule, path).toBeTruthy();
        expect(message, `${path}: ${rule}`).toBeTruthy();
        if (fieldPath)
          expect(all.map((node) => node.path)).toContain(path + (path ? fieldPath : fieldPath.slice(1)));
      }
    }
  });

  it('has keys for every list that is a map, and every item has them', () => {
    for (const { path, schema } of all.filter(({ schema }) => schema['x-kubernetes-list-type'] === 'map')) {
      const keys = schema['x-kubernetes-list-map-keys'] ?? [];
      expect(keys.length, path).toBeGreaterThan(0);
      expect(schema.items?.required, path).toEqual(expect.arrayContaining(keys));
    }
  });

  it('takes a list as one value where items of its default would otherwise stay next to those applied', () => {
    const merged = ours.filter(
      ({ schema }) => Array.isArray(schema.default) && schema['x-kubernetes-list-type'] !== 'atomic',
    );
    expect(merged.map(({ path }) => path)).toEqual([]);
  });

  it('takes an object as one value where server-side apply would make null of it once it is empty', () => {
    const fields = all.filter(({ path }) => path.startsWith('spec.') && !path.endsWith('[]'));
    const nullable = fields.filter(
      ({ schema }) =>
        schema.type === 'object' &&
        schema.default === undefined &&
        !schema.required &&
        !schema['x-kubernetes-validations'] &&
        schema['x-kubernetes-map-type'] !== 'atomic',
    );
    expect(nullable.map(({ path }) => path)).toEqual([]);
  });

  it('writes patterns that RE2 knows too', () => {
    for (const { path, schema } of all) expect(schema.pattern ?? '', path).not.toMatch(/\(\?|\\[0-9]/);
  });

  it('has defaults that its own schema allows', () => {
    const wrong = ours.flatMap(({ path, schema }) =>
      schema.default === undefined ? [] : violations(schema, withDefaults(schema, schema.default), path),
    );
    expect(wrong).toEqual([]);
  });

  it('requires kafka.cluster and nothing else', () => {
    const required = nodes(root.properties?.spec as Schema).flatMap(({ path, schema }) =>
      (schema.required ?? []).map((name) => `${path}.${name}`),
    );
    // What an object that may be left out needs.
    expect(required.filter((path) => !/\[\]|ingress|auth|schemaRegistry/.test(path))).toEqual([
      '.kafka',
      'kafka.cluster',
    ]);
  });

  it('fills in the same defaults as the parser', () => {
    const manifest = {
      apiVersion: API_VERSION,
      kind: KIND,
      metadata: { name: 'game' },
      spec: { kafka: { cluster: 'games' }, injector: {} },
    };
    const defaulted = withDefaults(root, manifest) as GameAnalytics;
    expect(defaulted.spec.injector).toEqual(parseGameAnalytics(manifest).resource?.spec.injector);
    expect(parseGameAnalytics(defaulted)).toEqual(parseGameAnalytics(manifest));
    expect(violations(root, { ...defaulted, metadata: {} })).toEqual([]);
  });
});
