import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type RunStatement, runShell } from '../../../cli/sql-shell.ts';
import { UserError } from '../../../local/process/user-error.ts';
import { folder, gameanalytics, VALID } from './gameanalytics.ts';

describe('gameanalytics sql, before it starts anything', () => {
  it('says what to do when the pipeline does not run', async () => {
    const cwd = folder({ 'game.yaml': VALID });
    const { code, out, err } = await gameanalytics(['sql', 'game.yaml', '-e', 'SELECT 1'], cwd);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toBe(
      'game does not run on this machine: no run uses .gameanalytics/game. Start it with gameanalytics run, name its folder with --state-dir, or name another Kafka with --bootstrap HOST:PORT.\n',
    );
  });

  it('says so when Kafka does not answer', async () => {
    const cwd = folder({ 'game.yaml': VALID });
    const { code, err } = await gameanalytics(['sql', 'game.yaml', '--bootstrap', '127.0.0.1:1'], cwd);
    expect(code).toBe(1);
    expect(err).toMatch(/^The Kafka at 127\.0\.0\.1:1 does not answer: .*\n$/);
  });

  it.each(['kafka', 'kafka:', 'kafka:x', 'a b:1', ':9092'])('refuses --bootstrap=%s', async (address) => {
    const cwd = folder({ 'game.yaml': VALID });
    const { code, err } = await gameanalytics(['sql', 'game.yaml', `--bootstrap=${address}`], cwd);
    expect({ code, err }).toEqual({ code: 2, err: `--bootstrap takes HOST:PORT, not '${address}'\n` });
  });
});

describe('the line editor', () => {
  afterEach(() => vi.unstubAllEnvs());

  /** A person at a terminal, and what was run. */
  function open(run: RunStatement = async (statement) => `result of ${statement}\n`, state = folder({})) {
    vi.stubEnv('XDG_STATE_HOME', state);
    const stdin = new PassThrough();
    const stdout = new PassThrough();
    let shown = '';
    stdout.on('data', (chunk: Buffer) => {
      shown += chunk.toString();
    });
    const ran: string[] = [];
    const record: RunStatement = (statement, stop) => {
      ran.push(statement);
      return run(statement, stop);
    };
    const left = runShell('arcade', record, new AbortController().signal, { stdin, stdout });
    return {
      ran,
      left,
      type: (text: string) => stdin.write(text),
      sees: (text: string) => expect.poll(() => shown).toContain(text),
    };
  }

  it('runs statements of several lines, and several of one line', async () => {
    const { type, ran, sees, left } = open();
    type("SELECT ';',\n 1; SELECT 2; SELECT\n3;\n");
    await sees('result of SELECT\n3');
    type('exit\n');
    await left;
    expect(ran).toEqual(["SELECT ';',\n 1", 'SELECT 2', 'SELECT\n3']);
  });

  it.each(['exit;\n', 'QUIT\n', '\u0004'])('ends at %j', async (typed) => {
    const { type, left, ran } = open();
    type(typed);
    await left;
    expect(ran).toEqual([]);
  });

  it('cancels what runs at Ctrl-C, and does not leave', async () => {
    const { type, sees, ran, left } = open((statement, stop) =>
      statement === 'endless'
        ? new Promise((_, reject) => stop.addEventListener('abort', () => reject(stop.reason)))
        : Promise.resolve('fine\n'),
    );
    type('endless;\n');
    await expect.poll(() => ran).toEqual(['endless']);
    type('\u0003');
    await sees('canceled');
    type('SELECT 1;\n');
    await sees('fine');
    type('\u0004');
    await left;
  });

  it('drops what was typed at Ctrl-C when nothing runs', async () => {
    const { type, sees, ran, left } = open();
    type('SELECT wrong,\nand');
    await sees('and');
    type('\u0003SELECT 1;\n');
    await sees('result of SELECT 1');
    type('\u0004');
    await left;
    expect(ran).toEqual(['SELECT 1']);
  });

  it('shows in a sentence why a statement failed, and stays', async () => {
    const { type, sees, left } = open(async () => {
      throw new UserError('line 1, column 8: Column not found\u001b[2J');
    });
    type('SELECT x;\n');
    await sees('line 1, column 8: Column not found\\u001b[2J\n');
    type('\u0004');
    await left;
  });

  it('knows the statements of earlier sessions', async () => {
    const state = folder({});
    const first = open(undefined, state);
    first.type('SELECT 1;\n');
    await first.sees('result of SELECT 1');
    first.type('exit;\n');
    await first.left;
    const second = open(undefined, state);
    // Twice the arrow upwards, to before the exit.
    second.type('\u001b[A\u001b[A\n');
    await second.sees('result of SELECT 1');
    second.type('\u0004');
    await second.left;
    expect(second.ran).toEqual(['SELECT 1']);
  });
});
