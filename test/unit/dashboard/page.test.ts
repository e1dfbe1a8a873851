import { describe, expect, it } from 'vitest';
import { boardDefinition } from '../../../contract/board.ts';
import { LiveBoard } from '../../../dashboard/boards/live-board.ts';
import { formatCell, formatValue } from '../../../dashboard/page/format.ts';
import { createPanel } from '../../../dashboard/page/panel.ts';
import { renderBoard, renderFrame } from '../../../dashboard/page/render.ts';
import { TeamColors } from '../../../dashboard/page/team-color.ts';
import type { PipelineKind } from '../../../dashboard/pipeline-state.ts';
import {
  boardOf,
  HOUR,
  instant,
  liveBoardOf,
  NOW,
  player,
  SEASON,
  season,
  streakers,
  TOP_TEAMS_JSON,
  team,
  topTeams,
} from './fixtures.ts';

const panel = (live: LiveBoard, now = NOW, pipeline: PipelineKind = 'live') =>
  createPanel(live, { season: 'this', now, pipeline, colors: new TeamColors([live], () => now) });
const html = (...of: Parameters<typeof panel>) => renderBoard(panel(...of));

describe('a value', () => {
  it.each([
    ['integer', 1234567, '1,234,567'],
    ['decimal', 1.005, '1.01'],
    ['decimal', 2.5, '2.50'],
    ['percent', 0.1234, '12.3%'],
    ['integer', Number.MAX_SAFE_INTEGER, '9,007,199,254,740,991'],
    ['decimal', 1.7e308, '1.70E308'],
    ['percent', 1.7e308, '1.7E310%'],
    ['factor', 2.5, '2.50×'],
    ['time', Date.UTC(2026, 10, 22, 19, 52), '19:52:00 UTC'],
    ['time', 1e300, '–'],
    ['integer', undefined, '–'],
    ['text', '\u200b\u200d', '–'],
    ['text', '12345', '12345'],
  ] as const)('of type %s: %s is shown as %s', (type, value, text) => {
    expect(formatValue(type, value)).toBe(text);
  });
});

describe('a number', () => {
  it('has the decimals of its column', () => {
    expect([formatValue('decimal', 12.5, 3), formatValue('decimal', 0.1 + 0.2, 1)]).toEqual([
      '12.500',
      '0.3',
    ]);
    expect(formatValue('decimal', 9_007_199_254_740.91, 2)).toBe('9,007,199,254,740.91');
  });

  it.each([
    ['integer', 999_999, undefined],
    ['integer', 1_234_567, '1.23M'],
    ['integer', Number.MAX_SAFE_INTEGER, '9010T'],
    ['decimal', 123_456.78, '123K'],
    ['factor', 123_456.78, '123K×'],
    ['decimal', 1.7e308, undefined],
    ['text', 1_234_567, undefined],
    ['integer', 'a long text', undefined],
  ] as const)('of type %s: %s has the compact form %s', (type, value, compact) => {
    expect(formatCell(type, value).compact).toBe(compact);
  });
});

describe('a panel', () => {
  it('scales its bars to the leader', () => {
    const { rows } = panel(liveBoardOf(topTeams, [season([team('a', 200), team('b', 50), team('c', -5)])]));
    expect(rows.map((row) => row.bar)).toEqual(['100.0', '25.0', '0.0']);
  });

  it('draws a share as that much of a whole', () => {
    const columns = [{ name: 'share', label: 'Share', type: 'percent' }];
    const definition = boardDefinition.parse({ ...TOP_TEAMS_JSON, columns, bar: 'share' });
    const shares = [0.4, 0.25, 1.5].map((share, index) => ({ team_id: String(index), share }));
    expect(panel(liveBoardOf(definition, [season(shares)])).rows.map((row) => row.bar)).toEqual([
      '40.0',
      '25.0',
      '100.0',
    ]);
  });

  it('scales its bars also where a hundred times the leader’s value is no number any more', () => {
    const { rows } = panel(liveBoardOf(topTeams, [season([team('a', 1.7e308), team('b', 8.5e307)])]));
    expect(rows.map((row) => row.bar)).toEqual(['100.0', '50.0']);
  });

  it('draws no bar when all values are zero', () => {
    expect(panel(liveBoardOf(topTeams, [season([team('a', 0)])])).rows[0]?.bar).toBe('0.0');
  });

  it('draws a streak as a multiple of what is usual, which is of one length', () => {
    const columns = [
      { name: 'user_id', label: 'Player', type: 'text' },
      { name: 'short', label: '10 s avg', type: 'decimal' },
      { name: 'long', label: '60 s avg', type: 'decimal' },
    ];
    const strip = { recent: 'short', usual: 'long', label: '10 s against 60 s' };
    const definition = boardDefinition.parse({ ...TOP_TEAMS_JSON, columns, bar: 'short', strip });
    const streaks = (...averages: [number | null, number][]) => {
      const rows = averages.map(([short, long], index) => ({ team_id: String(index), short, long }));
      return panel(liveBoardOf(definition, [season(rows)])).rows;
    };
    const rows = streaks([20, 5], [60, 30], [1, 0]);
    expect(rows.map(({ bar, usual }) => [bar, usual])).toEqual([
      ['100.0', '25.0'],
      ['50.0', '25.0'],
      ['0.0', '25.0'],
    ]);
    expect(rows[0]?.barTitle).toBe('10 s avg: 20.00, 60 s avg: 5.00');
    expect(streaks([1, 2], [null, 2]).map(({ bar, usual }) => [bar, usual])).toEqual([
      ['50.0', '100.0'],
      ['0.0', '100.0'],
    ]);
    const shown = html(liveBoardOf(definition, [season([{ team_id: '1', short: 2, long: 1 }])]));
    expect(shown).toContain('>10 s against 60 s<');
    expect(shown).toContain('<rect class="usual" width="50.0%"');
  });

  it('marks in its bars where the same places ended last season, as far as there is room', () => {
    const last = season([team('x', 300), team('y', 200), team('z', 50)], SEASON - HOUR);
    const now = season([team('a', 200), team('b', 100), team('c', 50)]);
    const live = liveBoardOf(topTeams, [last, now]);
    expect(panel(live).rows.map((row) => row.ghost)).toEqual([undefined, '100.0', '25.0']);
    expect(panel(live).rows[2]?.barTitle).toBe(
      '50: 25.0% of the highest; this place ended last season with 50',
    );
    expect(html(live).match(/class="ghost"/g)).toHaveLength(2);
  });

  it('marks nothing of a season that is still the newest, and nothing in the last one', () => {
    const live = liveBoardOf(topTeams, [season([team('x', 300)], SEASON - HOUR), season([team('a', 400)])]);
    expect(html(live)).toContain('class="ghost"');
    expect(html(liveBoardOf(topTeams, [season([team('a', 400)])]), NOW + HOUR)).not.toContain('ghost');
    const ended = createPanel(live, {
      season: 'last',
      now: NOW,
      pipeline: 'live',
      colors: new TeamColors([live], () => NOW),
    });
    expect(ended.rows.map((row) => row.ghost)).toEqual([undefined]);
  });

  it('says how far the place above is ahead, where there is one number and it is no share', () => {
    const live = liveBoardOf(topTeams, [season([team('a', 5000), team('b', 1200), team('c', 1200)])]);
    expect(panel(live).rows.map(({ gap }) => gap)).toEqual(['', '3,800', '0']);
    expect(html(live).match(/class="gap"/g)).toHaveLength(4);
    const columns = [...topTeams.columns, { name: 'count', label: 'Count', type: 'integer' }];
    const shares = [{ name: 'total_score', label: 'Share', type: 'percent' }];
    for (const others of [columns, shares]) {
      const definition = boardDefinition.parse({ ...TOP_TEAMS_JSON, columns: others });
      expect(html(liveBoardOf(definition, [season([team('a', 1)])]))).not.toContain('gap');
    }
  });

  it('keeps the id of a row while its rank changes', () => {
    const before = panel(liveBoardOf(topTeams, [season([team('a', 2), team('b', 1)])]));
    const after = panel(liveBoardOf(topTeams, [season([team('b', 3), team('a', 2)])]));
    expect(after.rows.map((row) => row.id)).toEqual(before.rows.map((row) => row.id).reverse());
  });

  it('has distinct ids also while one team stands at two ranks', () => {
    const { rows } = panel(liveBoardOf(topTeams, [season([team('a', 2), team('a', 1)])]));
    expect(new Set(rows.map((row) => row.id)).size).toBe(2);
  });

  it('puts the text columns it begins with into one cell and the others after it', () => {
    const columns = [
      { name: 'user_id', label: 'Player', type: 'text' },
      { name: 'team_name', label: 'Team', type: 'text' },
      { name: 'points', label: 'Points', type: 'integer' },
      { name: 'country', label: 'Country', type: 'text' },
    ];
    const definition = boardDefinition.parse({ ...TOP_TEAMS_JSON, columns, bar: 'points' });
    expect(panel(new LiveBoard(definition)).head).toEqual({
      who: ['Player', 'Team'],
      others: [
        expect.objectContaining({ text: 'Points', kind: 'number key' }),
        expect.objectContaining({ text: 'Country', kind: 'text' }),
      ],
    });
  });

  it('counts down to the end of a running season, and says when an old one ended', () => {
    const live = liveBoardOf(topTeams, [season([team('a', 1)])]);
    expect(html(live)).toContain(
      `season ends <time datetime="${new Date(SEASON + HOUR).toISOString()}" data-until="${SEASON + HOUR}"`,
    );
    expect(html(live, NOW + HOUR)).toContain('season ended');
    expect(html(live, NOW + HOUR)).not.toContain('data-until');
  });

  it('marks numbers that are long, and those to do without where there is little room', () => {
    const columns = [
      { name: 'team_name', label: 'Team', type: 'text' },
      ...['a', 'b', 'total_score'].map((name) => ({ name, label: name, type: 'integer' })),
      { name: 'motto', label: 'Motto', type: 'text' },
    ];
    const definition = boardDefinition.parse({ ...TOP_TEAMS_JSON, columns });
    const row = { ...team('x', 1), a: 1e9, b: 2, motto: 'As long as you like' };
    const [{ others } = { others: [] }] = panel(liveBoardOf(definition, [season([row])])).rows;
    expect(others.map(({ kind }) => kind)).toEqual(['number long', 'number spare', 'number key', 'text']);
  });

  it('leaves the age of a time to the browser', () => {
    const columns = [...TOP_TEAMS_JSON.columns, { name: 'peak_at', label: 'When', type: 'time' }];
    const definition = boardDefinition.parse({ ...TOP_TEAMS_JSON, columns });
    const at = NOW - 90_000;
    const rows = [{ ...team('a', 1), peak_at: at }, team('b', 1)];
    expect(html(liveBoardOf(definition, [season(rows)]))).toMatch(
      new RegExp(
        `<td class="number time"><time datetime="${new Date(at).toISOString()}" data-since="${at}">16:18:30 UTC</time></td>.*<td class="number time"><bdi>–</bdi></td>`,
        's',
      ),
    );
  });

  it('says which instant it is of', () => {
    const as_of = NOW - 5000;
    const live = liveBoardOf(streakers, [instant([player('u')], as_of)]);
    expect(html(live)).toContain(`as of <time datetime="${new Date(as_of).toISOString()}"`);
  });

  it('waits, is out of reach, is empty, is live, is quiet, and is away, and looks like it', () => {
    const live = new LiveBoard(topTeams);
    expect(html(live)).toMatch(/data-state="waiting".*Waiting for Kafka/s);
    live.markUnavailable('connect ECONNREFUSED 10.0.0.1:9092');
    expect(html(live)).toMatch(/data-state="error".*cannot be read from Kafka/s);
    expect(html(live)).not.toContain('10.0.0.1');
    live.publish(boardOf(topTeams, []));
    expect(html(live)).toMatch(/data-state="empty".*No scores yet/s);
    live.publish(boardOf(topTeams, [season([team('a', 1)])]));
    expect(html(live)).toMatch(/data-state="live".*Team a/s);
    expect(html(live, NOW + 60_001)).toMatch(/data-state="quiet".*Nothing has changed.*Team a/s);
    live.markUnavailable('connect ECONNREFUSED 10.0.0.1:9092');
    expect(html(live)).toMatch(/data-state="away".*cannot be read.*last known scores.*Team a/s);
    expect(html(live)).not.toContain('10.0.0.1');
  });

  it.each([
    ['live', 'No scores yet'],
    ['quiet', 'No scores yet'],
    ['stalled', 'does not count them'],
    ['behind', 'counts earlier events first'],
    ['unavailable', 'Kafka does not answer'],
    ['waiting', 'Waiting for Kafka'],
  ] as const)('without rows says in a pipeline that is %s: %s', (pipeline, text) => {
    const empty = liveBoardOf(topTeams, []);
    expect(html(empty, NOW, pipeline)).toContain(text);
    if (text !== 'No scores yet') expect(html(empty, NOW, pipeline)).not.toContain('No scores yet');
  });

  it('leaves to the banner what is so of all boards', () => {
    const live = liveBoardOf(topTeams, [season([team('a', 1)])]);
    for (const pipeline of ['quiet', 'stalled', 'behind'] as const)
      expect(html(live, NOW + 60_001, pipeline)).not.toContain('class="notice"');
    live.markUnavailable('gone');
    expect(html(live, NOW, 'unavailable')).toMatch(/data-state="away"(?!.*class="notice").*Team a/s);
  });

  it('is away while Kafka does not answer, and continues when it answers again', () => {
    const live = liveBoardOf(topTeams, [season([team('a', 1)])]);
    live.setSilent(true);
    expect(html(live)).toMatch(/data-state="away".*Team a/s);
    live.setSilent(false);
    expect(html(live)).toMatch(/data-state="live".*Team a/s);
  });

  it('says of a season that is over that no scores have come since, unless nobody counts them', () => {
    const live = liveBoardOf(topTeams, [season([team('a', 1)])]);
    const end = SEASON + HOUR;
    live.content.apply(season([team('a', 2)], SEASON, end - 1000), end - 1000);
    expect(html(live, end - 1)).toMatch(/data-state="live".*season ends/s);
    expect(html(live, end + 4999)).toMatch(/data-state="live".*season ended/s);
    expect(html(live, end + 5000)).toMatch(
      /data-state="quiet".*season ended.*No scores since the season ended\..*Team a/s,
    );
    expect(html(live, end + 12 * 60_000, 'quiet')).toContain('No scores since the season ended.');
    expect(html(live, end + 5000, 'stalled')).toMatch(/data-state="quiet"(?!.*No scores since)/s);
    live.content.apply(season([team('b', 1)], end), end + 6000);
    expect(html(live, end + 6000)).toMatch(/data-state="live".*season ends.*Team b/s);
    const last = createPanel(live, {
      season: 'last',
      now: end + 6000,
      pipeline: 'live',
      colors: new TeamColors([], () => end),
    });
    expect(last).toMatchObject({ state: 'live', notice: undefined, rows: [{ rank: 1 }] });
  });

  it.each([
    ['team', true],
    ['2', false],
    ['', false],
  ])('finds a row by its names and not by its numbers: %j', (search, found) => {
    const live = liveBoardOf(topTeams, [season([team('a', 2)])]);
    const options = { season: 'this', now: NOW, pipeline: 'live', search } as const;
    const { rows } = createPanel(live, { ...options, colors: new TeamColors([live], () => NOW) });
    expect(rows).toMatchObject([{ found }]);
  });

  it.each([
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '</bdi></td></table><hx-partial hx-target="body">',
    '{{title}} {{> panel}}',
  ])('escapes a hostile name: %s', (name) => {
    const called = (text: string) => season([{ team_id: text, team_name: text, total_score: 1 }]);
    const hostile = liveBoardOf(topTeams, [called(name)]);
    const harmless = liveBoardOf(topTeams, [called('x')]);
    const tags = (text: string) =>
      text.match(/<[^>]*>/g)?.map((tag) => tag.replace(/ (id|data-hue|data-shade)="[^"]*"/g, ''));
    expect(tags(html(hostile))).toEqual(tags(html(harmless)));
  });
});

describe('a frame', () => {
  it('carries its panels as morphing partials, and the time', () => {
    const frame = renderFrame([{ id: 'board-x', html: '<p>1</p>' }], { now: 42, release: 'r1' });
    expect(frame).toContain('<hx-partial hx-target="#board-x" hx-swap="outerMorph"><p>1</p></hx-partial>');
    expect(frame).toMatch(/hx-target="#clock".*value="42" data-release="r1"/s);
  });
});
