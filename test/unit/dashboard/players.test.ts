import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BoardDefinition, boardDefinition } from '../../../contract/board.ts';
import { Players } from '../../../contract/players.ts';
import { Board } from '../../../dashboard/boards/board.ts';
import { LiveBoard } from '../../../dashboard/boards/live-board.ts';
import { LivePlayers } from '../../../dashboard/boards/live-players.ts';
import { PastBoard } from '../../../dashboard/boards/past-board.ts';
import { playersSource } from '../../../dashboard/topics/sources.ts';
import {
  COUNTRIES_JSON,
  HOUR,
  instant,
  NOW,
  ofValue,
  player,
  SEASON,
  season,
  streakers,
  TOP_TEAMS_JSON,
} from './fixtures.ts';
import { listen, type Served, serve } from './served.ts';

const OF_PLAYERS = {
  identity: ['user_id'],
  columns: [
    { name: 'user_id', label: 'Player', type: 'text' },
    { name: 'total_score', label: 'Score', type: 'integer' },
  ],
  player: 'user_id',
};
const topPlayers = boardDefinition.parse({ ...TOP_TEAMS_JSON, ...OF_PLAYERS, name: 'top-players' });
const byCountry = boardDefinition.parse({ ...COUNTRIES_JSON, ...OF_PLAYERS });
const hotPlayers: BoardDefinition = { ...streakers, player: 'user_id' };

const scored = (...ids: string[]) =>
  ids.map((user_id, i) => ({ user_id, total_score: 100 - i, last_event_at: NOW }));

let players: LivePlayers;
beforeEach(() => {
  players = new LivePlayers();
  players.publish(new Players());
});

const hide = (...ids: string[]) => {
  for (const id of ids) players.content.apply(id, '{"hidden":true}');
};

function places(board: Board, ...view: [season?: 'this' | 'last', value?: string]): string[] {
  return board.view(NOW, ...view).rows.map(({ rank, values }) => `${rank}:${values.get('user_id')}`);
}

describe('a record of the players topic', () => {
  it.each([
    ['{"hidden":true}', 'hidden'],
    ['{"hidden":true,"why":"asked"}', 'hidden'],
    ['{"erased":true}', 'erased'],
    ['{"hidden":true,"erased":true}', 'erased'],
    ['{"hidden":false}', undefined],
    ['{"hidden":"true"}', undefined],
    ['{"hidden":[true]}', undefined],
    ['{"erased":1}', undefined],
    ['[{"hidden":true}]', undefined],
    ['{"a":{"hidden":true}}', undefined],
    ['{"hidden":true', undefined],
    ['null', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('of %s makes one of %s', (value, expected) => {
    hide('a');
    players.content.apply('a', value);
    expect(players.content.states.get('a')).toBe(expected);
  });

  it('counts when it is the newest of its player, also when the topic is read again', () => {
    const bytes = (text: string | null) => (text === null ? null : Buffer.from(text));
    const record = (key: string | null, value: string | null) => ({
      key: bytes(key),
      value: bytes(value),
      timestampMillis: NOW,
    });
    const read = (records: ReturnType<typeof record>[]) => {
      const { content, take } = playersSource(players, 'players').begin();
      take(records);
      players.publish(content);
      return [...players.content.states.keys()];
    };
    const hidden = '{"hidden":true}';
    expect(read([record('a', hidden), record('b', hidden), record(null, hidden), record('a', null)])).toEqual(
      ['b'],
    );
    expect(read([record('c', hidden)])).toEqual(['c']);
  });
});

describe('a hidden player', () => {
  it('leaves a board at once, and those below move up, also from beyond its size', () => {
    const board = new Board(topPlayers, players);
    board.apply(season(scored('a', 'b', 'c', 'd', 'e')), NOW);
    expect(places(board)).toEqual(['1:a', '2:b', '3:c']);
    hide('a', 'c');
    expect(places(board)).toEqual(['1:b', '2:d', '3:e']);
    players.content.apply('a', undefined);
    expect(places(board)).toEqual(['1:a', '2:b', '3:d']);
  });

  it('leaves no gap where the job has left it out already, and shares no rank', () => {
    const board = new Board({ ...topPlayers, rankedBy: 'total_score' }, players);
    const rows = [
      { rnk: 2, user_id: 'b', total_score: 9 },
      { rnk: 5, user_id: 'e', total_score: 8 },
      { rnk: 3, user_id: 'c', total_score: 9 },
      { rnk: 4, user_id: 'd', total_score: 8 },
    ];
    board.apply(season(rows), NOW);
    expect(places(board)).toEqual(['1:b', '1:c', '3:d']);
    hide('b');
    expect(places(board)).toEqual(['1:c', '2:d', '2:e']);
  });

  it('leaves past seasons, instants, and boards of the past', () => {
    const board = new Board(topPlayers, players);
    const before = season(scored('a', 'b'), SEASON - HOUR, NOW - HOUR);
    board.apply(before, NOW);
    board.apply(season(scored('b')), NOW);
    const hot = new Board(hotPlayers, players);
    hot.apply(instant([player('a'), player('b')]), NOW);
    const past = new PastBoard(topPlayers, NOW - HOUR / 2, players);
    past.consume([before]);
    past.endChunk();
    hide('a');
    expect(places(board, 'last')).toEqual(['1:b']);
    expect(places(hot)).toEqual(['1:b']);
    expect(past.view().rows.map(({ values }) => values.get('user_id'))).toEqual(['b']);
  });

  it('takes the only board of its value along', () => {
    const board = new Board(byCountry, players);
    board.apply(ofValue('AT', scored('a')), NOW);
    board.apply(ofValue('NO', scored('b', 'a')), NOW);
    hide('a');
    expect(board.values(NOW)?.values.map(({ name, rows }) => [name, rows.length])).toEqual([['NO', 1]]);
    expect(board.view(NOW).value).toMatchObject({ name: 'NO', isKept: true, kept: 1 });
    expect(board.view(NOW, 'this', 'AT')).toMatchObject({ rows: [], value: { name: 'AT', isKept: false } });
  });

  it('is not where it was before, when the ranks of then are compared and drawn', () => {
    const live = new LiveBoard(topPlayers, players);
    live.publish(new Board(topPlayers, players));
    live.content.apply(season(scored('a', 'b')), NOW - 120_000);
    live.note(NOW - 120_000);
    const version = live.version(NOW, 'this');
    hide('a');
    expect(live.version(NOW, 'this')).not.toBe(version);
    for (const { rows } of [live.before(NOW)!, ...live.snapshots(NOW), ...live.samples(NOW)])
      expect(rows.map(({ id, rank }) => [id, rank])).toEqual([[live.view(NOW).rows[0]?.id, 1]]);
  });
});

describe('the dashboard', () => {
  let served: Served;
  afterEach(() => served.app.close());

  it('masks a hidden player in the page, its frames, the API and its CSV, with the next tick', async () => {
    const live = new LiveBoard(topPlayers, players);
    live.publish(new Board(topPlayers, players));
    live.content.apply(season(scored('Zoë-1', 'Kay-2')), NOW);
    const histories = new Map([['top-players', async () => live.view(NOW)]]);
    served = await serve({ boards: [live], histories });
    const socket = new WebSocket(`ws://${await listen(served.app)}/ws`);
    let frames = '';
    socket.addEventListener('message', ({ data }) => {
      frames += data;
    });
    await once(socket, 'open');
    await expect.poll(() => frames).toContain('Zoë-1');
    frames = '';
    hide('Zoë-1');
    await expect.poll(() => frames).toContain('Kay-2');
    socket.close();
    const urls = [
      '/',
      '/boards/top-players',
      '/?q=kay',
      '/api/boards/top-players',
      '/api/boards/top-players.csv',
    ];
    for (const url of [...urls, `/api/boards/top-players?at=${NOW - 1}`]) {
      const { body } = await served.app.inject({ url });
      expect(body, url).toContain('Kay-2');
      expect(body.replaceAll('value="kay"', ''), url).not.toContain('Zoë-1');
    }
    expect(frames).not.toContain('Zoë-1');
  });
});
