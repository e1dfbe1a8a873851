import { describe, expect, it } from 'vitest';
import { completeColumns } from '../../../../operator/controller/schema.ts';
import { schemaDigest } from '../../../../plan/schema.ts';
import { resource } from '../../../../testkit/resources/resource.ts';

const AVRO = { format: 'avro-confluent' };
const SUBJECT = 'game-user-score-value';
const game = (events: object = AVRO, title = 'a') =>
  resource({ events, leaderboards: [{ name: 'players', type: 'TopPlayers', title }] });
const found = (from = game()) => ({
  schema: {
    digest: schemaDigest(from),
    subject: SUBJECT,
    version: 3,
    columns: [{ name: 'user_id', type: 'STRING' }],
  },
});
const states = (...args: Parameters<typeof completeColumns>) => {
  const { schema } = completeColumns(...args);
  return `${schema.status} ${schema.reason}: ${schema.message}`;
};

describe('the columns that a resource leaves to a schema registry', () => {
  it('are those that were found for it, whatever else of it changes', () => {
    const changed = game(AVRO, 'b');
    const { resource: complete, schema } = completeColumns(changed, found(), '');
    expect(complete.spec.events.columns).toEqual([{ name: 'user_id', type: 'STRING' }]);
    expect(schema.message).toBe(`The columns of ${SUBJECT} version 3: user_id STRING.`);
    const signedIn = game({ ...AVRO, schemaRegistry: { secretName: 'sign-in' } });
    expect(completeColumns(signedIn, found(), '').resource.spec.events.columns).toHaveLength(1);
  });

  it.each([
    ['another registry', { ...AVRO, schemaRegistry: { url: 'http://registry' } }],
    ['another topic', { ...AVRO, topic: 'own' }],
    ['other fields', { ...AVRO, fields: { userId: 'player' } }],
  ])('are not those of %s', (_, events) => {
    const { resource: complete, schema } = completeColumns(game(events), found(), '');
    expect(complete.spec.events.columns).toBeUndefined();
    expect(schema).toMatchObject({ status: 'False', reason: 'Progressing' });
  });

  it('may be missing, and the condition says why', () => {
    const unset = 'events.columns is not set';
    const reading = `${unset}: the newest schema of ${SUBJECT} is being read.`;
    expect(states(game(), undefined, '')).toBe(`False Progressing: ${reading}`);
    expect(states(game(), {}, 'Pod a is waiting: no image')).toBe(
      `False NotReady: ${reading} Pod a is waiting: no image`,
    );
    const { schema } = found();
    const problem = { digest: schema.digest, subject: SUBJECT, problem: 'waiting for it' };
    expect(states(game(), { schema: problem }, '')).toBe(`False SchemaMissing: ${unset}: waiting for it`);
  });

  it('are no question where it names them, or needs none', () => {
    const named = game({ ...AVRO, columns: [{ name: 'user_id', type: 'STRING' }] });
    for (const one of [named, game({})])
      expect(completeColumns(one, found(), '')).toMatchObject({
        resource: one,
        schema: { reason: 'Disabled' },
      });
  });
});
