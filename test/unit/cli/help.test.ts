import { describe, expect, it } from 'vitest';
import { withPrinted } from '../../../tools/docs/printed.ts';
import { gameanalytics } from './gameanalytics.ts';

const COMMANDS = ['run', 'validate', 'sql', 'peek', 'players', 'columns', 'render', 'crd'];

const PAGE = 'docs/cli.md';

it('docs/cli.md has the help of the commands', async () => {
  const helps = await Promise.all(
    [['--help'], ...COMMANDS.map((command) => [command, '--help'])].map((args) => gameanalytics(args)),
  );
  expect(helps.map(({ code }) => code)).toEqual(helps.map(() => 0));
  const lines = helps.flatMap(({ out }) => ['', '```', ...out.trimEnd().split('\n'), '```']);
  const page = withPrinted(PAGE, 'help of the commands', [...lines, '']);
  await expect(page).toMatchFileSnapshot(`../../../${PAGE}`);
});

describe('the command line', () => {
  it.each([[[]], [['--help']], [['help']]])('with %j lists the commands', async (args) => {
    const { code, out, err } = await gameanalytics(args);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    for (const command of COMMANDS) expect(out).toMatch(new RegExp(`^  gameanalytics ${command}\\b`, 'm'));
  });

  it.each(COMMANDS)('of %s has help', async (command) => {
    const { code, out, err } = await gameanalytics([command, '--help']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(new RegExp(`^gameanalytics ${command}\\b`));
  });

  it.each(['frobnicate', 'constructor', '__proto__', '-h'])(
    'has no command %s, and says which there are',
    async (name) => {
      const { code, out, err } = await gameanalytics([name]);
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(err).toContain(`'${name}' is not a command.`);
      expect(err).toContain('gameanalytics validate FILE');
    },
  );

  it.each([
    ['an unknown option', ['validate', '--strict', 'game.yaml'], "Unknown option '--strict'"],
    ['an option without its value', ['render', 'game.yaml', '--only'], '--only'],
    ['no file', ['validate'], 'Name one manifest file.'],
    ['two files', ['render', 'a.yaml', 'b.yaml'], 'Name one manifest file.'],
    ['a file where none is taken', ['crd', 'a.yaml'], 'It takes no arguments.'],
  ])('with %s gets an error, and what there is', async (_, args, sentence) => {
    const { code, out, err } = await gameanalytics(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(sentence);
    expect(err).toContain(`gameanalytics ${args[0]}`);
    expect(err).not.toMatch(/^\s+at /m);
  });
});
