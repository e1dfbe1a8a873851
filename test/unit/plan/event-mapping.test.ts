import { describe, expect, it } from 'vitest';
import { planEventMapping } from '../../../plan/event-mapping.ts';
import { resource } from '../../../testkit/resources/resource.ts';

const mapping = (events: object) => planEventMapping(resource({ events, leaderboards: PLAYERS }).spec.events);
const PLAYERS = [{ name: 'players', type: 'TopPlayers' }];
const sqlOf = (events: object) =>
  Object.fromEntries(mapping(events).fields.map(({ name, sql }) => [name, sql.replaceAll(/\s+/g, ' ')]));

describe('the mapping of events', () => {
  it('is none without columns and fields', () => {
    expect(sqlOf({})).toEqual({
      user_id: 'user_id',
      team_id: 'team_id',
      team_name: 'team_name',
      score: 'score',
      event_time_millis: 'event_time_millis',
    });
    expect(mapping({})).toMatchObject({ hasTeams: true, hasEventIds: false, otherColumns: [] });
  });

  it('reads what is set from the columns, and the rest from columns named like it', () => {
    expect(sqlOf({ fields: { userId: 'player', eventId: 'id -- its own' } })).toEqual({
      user_id: 'TRY_CAST(( player ) AS STRING)',
      team_id: 'CAST(NULL AS STRING)',
      team_name: 'CAST(NULL AS STRING)',
      score: 'CASE WHEN RAND() < 2 THEN TRY_CAST(( score ) AS BIGINT) END',
      event_time_millis: 'TRY_CAST(( event_time_millis ) AS BIGINT)',
      event_id: 'TRY_CAST(( id -- its own ) AS STRING)',
    });
  });

  it('has a score with its decimals, and in units of the last one', () => {
    const events = { scoreDecimals: 2, fields: { score: 'price -- in euros' } };
    expect(sqlOf(events).score).toBe('TRY_CAST(( price -- in euros ) AS DECIMAL(18, 2))');
    expect(mapping(events).scoreUnits.replaceAll(/\s+/g, ' ')).toBe(
      'CASE WHEN RAND() < 2 THEN TRY_CAST(100 * TRY_CAST(( price -- in euros ) AS DECIMAL(18, 2)) AS BIGINT) END',
    );
    expect(mapping({ scoreDecimals: 6 }).columns).toContainEqual({ name: 'score', type: 'DECIMAL(18, 6)' });
  });

  it('has teams where fields say which, and where there are no fields', () => {
    expect(mapping({ fields: { userId: 'player' } }).hasTeams).toBe(false);
    expect(mapping({ fields: { teamId: 'clan' } }).hasTeams).toBe(true);
    expect(mapping({ columns: [{ name: 'user_id', type: 'STRING' }] }).hasTeams).toBe(true);
  });

  it('passes on the columns that have not the name of a field', () => {
    const columns = ['score', 'country', 'event_time', 'read_at', 'Level'].map((name) => ({
      name,
      type: 'INT',
    }));
    expect(mapping({ columns }).otherColumns).toEqual(['country', 'Level']);
  });
});
