import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { API_VERSION, KIND } from '../../api/gameanalytics.ts';
import type { KubernetesObject } from '../../plan/objects.ts';
import type { ControlPlaneAccess } from '../../testkit/cluster/access.ts';
import { connectedControlPlane } from '../../testkit/cluster/connected.ts';
import { type ControlPlane, startControlPlane } from '../../testkit/cluster/control-plane.ts';
import { availableCrds, type CrdSet, foreignCrds } from '../../testkit/cluster/crds.ts';
import { nodes, type Schema } from '../../tools/docs/structural-schema.ts';

const HAS_REAL_CRDS = availableCrds() === 'real';
const shared = connectedControlPlane();

/** A resource as a person writes it, without what our own parser adds. */
const resource = (spec: object, name: string) => ({
  apiVersion: API_VERSION,
  kind: KIND,
  metadata: { name },
  spec: { kafka: { cluster: 'games' }, ...spec },
});

describe('the CRD of GameAnalytics', () => {
  let namespace: string;
  beforeAll(async () => {
    namespace = await shared.newNamespace();
  });

  it.each([
    { example: 'arcade', name: 'arcade' },
    { example: 'minimal', name: 'minimal' },
    { example: 'production', name: 'arena' },
  ])('takes examples/$example.yaml', async ({ example, name }) => {
    const file = `--filename=examples/${example}.yaml`;
    await shared.kubectl('apply', '--server-side', '--validate=strict', file, '-n', namespace);
    expect(await shared.kubectl('get', 'ga', '-n', namespace, '-o=name')).toContain(`/${name}\n`);
  });

  it('reads well in kubectl explain', async () => {
    const text = await shared.kubectl('explain', 'ga.spec.leaderboards');
    expect(text).toMatch(/FIELD: leaderboards <\[\]Object>/);
    expect(text).toMatch(/season\s+<string>\n {4}\S/);
  });

  it('refuses another Kafka cluster', async () => {
    await shared.apply(resource({}, 'moving'), '-n', namespace);
    const moved = resource({ kafka: { cluster: 'others' } }, 'moving');
    await expect(shared.apply(moved, '-n', namespace)).rejects.toThrow(/spec\.kafka\.cluster: .*changed/);
  });

  it('refuses fewer partitions, and takes more', async () => {
    const withPartitions = (partitions: number) => resource({ events: { partitions } }, 'shrinking');
    await shared.apply(withPartitions(4), '-n', namespace);
    await expect(shared.apply(withPartitions(3), '-n', namespace)).rejects.toThrow(/partitions.*shrink/);
    await shared.apply(withPartitions(5), '-n', namespace);
  });

  it('refuses events that are kept for less than two seasons, unless the job has a place for its state', async () => {
    const kept = (flink: object) => resource({ events: { retention: '90m' }, flink }, 'kept');
    await expect(shared.apply(kept({}), '-n', namespace)).rejects.toThrow(/retention must be at least twice/);
    await shared.apply(kept({ state: { claim: 'flink' } }), '-n', namespace);
  });

  it('takes boards by columns that a schema registry may have, and not where there is an injector', async () => {
    const leaderboards = [{ name: 'players', type: 'TopPlayers', by: 'country' }];
    const byCountry = (spec: object) =>
      resource({ events: { format: 'avro-confluent' }, leaderboards, ...spec }, 'by-country');
    await shared.apply(byCountry({}), '-n', namespace);
    for (const spec of [{ injector: {} }, { events: {} }])
      await expect(shared.apply(byCountry(spec), '-n', namespace)).rejects.toThrow('by must be a column');
  });

  it('refuses a name of 41 characters, and takes one of 40', async () => {
    const named = (length: number) => resource({}, 'g'.repeat(length));
    await expect(shared.apply(named(41), '-n', namespace)).rejects.toThrow(/at most 40/);
    await shared.apply(named(40), '-n', namespace);
  });

  it('refuses a field that it does not know', async () => {
    const misspelt = resource({ kafka: { cluster: 'games', lisener: 'tls' } }, 'misspelt');
    await expect(shared.apply(misspelt, '-n', namespace)).rejects.toThrow(/lisener/);
  });
});

const GOLDENS = 'test/golden';
/** What is planned; the charts' own, which need more than a namespace, have tests of their own. */
const goldens = readdirSync(GOLDENS, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.yaml') && !/^(chart|platform)/.test(file))
  .sort();

describe.each<CrdSet>(HAS_REAL_CRDS ? ['real', 'closed'] : ['closed'])(
  'with the %s CRDs of others',
  (set) => {
    let own: ControlPlane | undefined;
    let plane: ControlPlaneAccess;
    let namespace: string;

    beforeAll(async () => {
      if (set !== availableCrds()) own = await startControlPlane({ crds: set });
      plane = own ?? shared;
      namespace = await plane.newNamespace();
    });

    afterAll(() => own?.stop());

    it.each(goldens)(
      'every object of %s is accepted, to the last field and without a warning',
      async (file) => {
        const documents = parseAllDocuments(await readFile(join(GOLDENS, file), 'utf8'));
        const items = documents.map((document) =>
          inNamespace(document.toJS() as KubernetesObject, namespace),
        );
        expect(items.length).toBeGreaterThan(0);
        const list = { apiVersion: 'v1', kind: 'List', items };
        const applied = await plane.apply(list, '--dry-run=server', '--warnings-as-errors');
        expect(applied.trim().split('\n')).toHaveLength(items.length);
      },
    );

    it.each(['KafkaTopic', 'FlinkDeployment'])('a %s with an unknown field is refused', async (kind) => {
      const documents = parseAllDocuments(await readFile(join(GOLDENS, 'minimal.yaml'), 'utf8'));
      const object = documents
        .map((document) => document.toJS() as KubernetesObject)
        .find((o) => o.kind === kind);
      if (!object) throw new Error(`there is no ${kind} in the golden file`);
      const wrong = { ...inNamespace(object, namespace), spec: { ...(object.spec as object), unheardOf: 1 } };
      await expect(plane.apply(wrong, '--dry-run=server')).rejects.toThrow(/unheardOf/);
    });
  },
);

/**
 * The object in the namespace of the test. A subject must name its own, which a plan outside of a cluster
 * does not know.
 */
function inNamespace(object: KubernetesObject, namespace: string): KubernetesObject {
  const subjects = object.subjects as object[] | undefined;
  return {
    ...object,
    metadata: { ...object.metadata, namespace },
    ...(subjects && { subjects: subjects.map((subject) => ({ ...subject, namespace })) }),
  };
}

interface Crd {
  spec: {
    group: string;
    scope: string;
    names: { kind: string; plural: string; shortNames: string[] };
    versions: {
      name: string;
      served: boolean;
      storage: boolean;
      subresources: object;
      schema: { openAPIV3Schema: Schema };
    }[];
  };
}

const pairs = HAS_REAL_CRDS ? await Promise.all([...(await foreignCrds('closed'))].map(pair)) : [];

describe.runIf(HAS_REAL_CRDS)('the closed schemas of testkit/cluster/crds', () => {
  it.each(pairs)('$name has the names, the version and the status of the real one', ({ closed, real }) => {
    const { group, scope, names, versions } = closed.spec;
    expect({ group, scope }).toEqual({ group: real.spec.group, scope: real.spec.scope });
    expect(real.spec.names).toMatchObject(names);
    const { schema: _, ...version } = versions[0]!;
    expect(real.spec.versions.find(({ name }) => name === version.name)).toMatchObject(version);
  });

  it.each(pairs)('$name has only fields of the real one, and as they are there', ({ closed, real }) => {
    const there = new Map(nodes(schemaOf(real)).map(({ path, schema }) => [path, schema]));
    for (const { path, schema } of nodes(schemaOf(closed))) {
      const original = there.get(path);
      expect(original, `${path} is not in the real CRD`).toBeDefined();
      expect(shape(schema), path).toEqual(shape(original!));
      // A schema of our own may be stricter in its values, never laxer in what must be there.
      expect(original?.enum ?? schema.enum ?? [], path).toEqual(expect.arrayContaining(schema.enum ?? []));
      expect(schema.required ?? [], path).toEqual(expect.arrayContaining(original?.required ?? []));
      expect(schema.minimum ?? -Infinity, path).toBeGreaterThanOrEqual(original?.minimum ?? -Infinity);
    }
  });
});

async function pair([name, closedFile]: [string, string]): Promise<{ name: string; closed: Crd; real: Crd }> {
  const realFile = (await foreignCrds('real')).get(name);
  if (!realFile) throw new Error(`there is no real CRD ${name}`);
  const read = async (file: string) => parse(await readFile(file, 'utf8')) as Crd;
  return { name, closed: await read(closedFile), real: await read(realFile) };
}

function schemaOf(crd: Crd): Schema {
  return crd.spec.versions[0]!.schema.openAPIV3Schema;
}

/** What decides how server-side apply merges a field and whether unknown ones may be in it. */
function shape(schema: Schema): object {
  const open = (schema as Record<string, unknown>)['x-kubernetes-preserve-unknown-fields'];
  const { type, 'x-kubernetes-list-type': listType, 'x-kubernetes-list-map-keys': keys } = schema;
  return { type, listType, keys, open };
}
