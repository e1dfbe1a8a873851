import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { readManifest } from '../../../cli/manifest.ts';
import type { KubernetesObject } from '../../../plan/objects.ts';
import { plan } from '../../../plan/plan.ts';
import { sqlScript } from '../../../plan/sql.ts';
import { withoutScript } from '../../../testkit/resources/golden.ts';
import { folder, gameanalytics, VALID } from './gameanalytics.ts';

const ARCADE = 'examples/arcade.yaml';

describe('gameanalytics render', () => {
  it('prints the objects of the plan', async () => {
    const { code, out } = await gameanalytics(['render', ARCADE]);
    expect(code).toBe(0);
    const script = sqlScript(await readManifest(ARCADE), 'games-kafka-bootstrap:9092');
    expect(withoutScript(out, script)).toBe(readFileSync('test/golden/arcade.yaml', 'utf8'));
  });

  it('prints YAML that reads as the very same objects', async () => {
    const { out } = await gameanalytics([
      'render',
      ARCADE,
      '--bootstrap',
      'kafka:1',
      '--image',
      'a',
      '--flink-image',
      'f',
    ]);
    const objects = parseAllDocuments(out).map((document) => document.toJS() as KubernetesObject);
    const environment = { bootstrapServers: 'kafka:1', appImage: 'a', flinkImage: 'f' };
    expect(objects).toEqual(plan(await readManifest(ARCADE), environment));
  });

  it('asks no schema registry for columns', async () => {
    const cwd = folder({
      'game.yaml': VALID.replace('games }', 'games }, events: { format: avro-confluent }'),
    });
    const { code, err } = await gameanalytics(['render', 'game.yaml'], cwd);
    expect(code).toBe(2);
    expect(err).toBe(
      'game.yaml names no events.columns, and render asks no schema registry. Name them: gameanalytics columns prints those of a schema.\n',
    );
  });

  it('prints just the SQL when that is asked for', async () => {
    const { code, out } = await gameanalytics(['render', ARCADE, '--only', 'sql']);
    expect(code).toBe(0);
    expect(out).toBe(sqlScript(await readManifest(ARCADE), 'games-kafka-bootstrap:9092'));
  });

  it('knows nothing else to print', async () => {
    expect(await gameanalytics(['render', ARCADE, '--only', 'topics'])).toEqual({
      code: 2,
      out: '',
      err: '--only takes sql, not topics\n',
    });
  });
});
