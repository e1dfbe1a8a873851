import { describe, expect, it } from 'vitest';
import { EVENT_SCHEMA } from '../../../injector/avro.ts';
import { folder, gameanalytics } from './gameanalytics.ts';

const OWN = {
  type: 'record',
  name: 'Match',
  fields: [
    { name: 'player', type: 'string' },
    { name: 'points', type: ['null', 'int'] },
    { name: 'odd', type: ['int', { type: 'array', items: 'int' }] },
  ],
};

describe('gameanalytics columns', () => {
  it('prints the columns of a schema as a manifest has them, and names what is left out', async () => {
    const cwd = folder({ 'schema.json': JSON.stringify(OWN) });
    expect(await gameanalytics(['columns', 'schema.json'], cwd)).toEqual({
      code: 0,
      out: 'columns:\n  - name: player\n    type: STRING\n  - name: points\n    type: BIGINT\n',
      err: 'odd is left out: it may be BIGINT or ARRAY<BIGINT>, and no type holds both\n',
    });
  });

  it('prints columns that a manifest may have', async () => {
    const cwd = folder({ 'schema.json': JSON.stringify(EVENT_SCHEMA) });
    const { out } = await gameanalytics(['columns', 'schema.json'], cwd);
    const events = `events:\n  format: avro-confluent\n${out.replace(/^/gm, '  ')}`;
    const spec = `kafka: { cluster: games }\n${events}`.replace(/^/gm, '  ');
    const manifest = `apiVersion: gameanalytics.dev/v1alpha1\nkind: GameAnalytics\nmetadata: { name: game }\nspec:\n${spec}`;
    const valid = folder({ 'game.yaml': manifest });
    expect(await gameanalytics(['validate', 'game.yaml'], valid)).toMatchObject({ code: 0, err: '' });
  });

  it.each([
    ['{', 'schema.json is not JSON'],
    ['"string"', 'schema.json is not of Avro records: it is not an Avro schema in JSON.'],
  ])('refuses %s', async (text, complaint) => {
    const { code, out, err } = await gameanalytics(
      ['columns', 'schema.json'],
      folder({ 'schema.json': text }),
    );
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(complaint);
  });
});
