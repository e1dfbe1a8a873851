import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import ts from 'typescript';

/*
 * Prints how the production TypeScript is cut: how long its functions are, how many have a single caller, and
 * how many carry a doc comment.
 */

const FOLDERS = [
  'api',
  'cli',
  'contract',
  'dashboard',
  'injector',
  'kafka',
  'lib',
  'local',
  'operator',
  'plan',
  'registry',
  'results',
  'history',
  'schema',
];
/** A helper so short that it may as well stand where it is called. */
const SHORT = 6;
const TINY_FILE = 15;

type FunctionNode = ts.FunctionDeclaration | ts.MethodDeclaration | ts.ArrowFunction | ts.FunctionExpression;

interface Measured {
  folder: string;
  lines: number;
  isPrivate: boolean;
  isDocumented: boolean;
  /** Uses of its name, its declaration apart. */
  uses: number;
}

const paths = execFileSync('git', ['ls-files', ...FOLDERS], { encoding: 'utf8' })
  .split('\n')
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'));
const { options } = ts.parseJsonConfigFileContent(
  ts.readConfigFile('tsconfig.json', ts.sys.readFile).config,
  ts.sys,
  '.',
);
const program = ts.createProgram(paths, options);
const checker = program.getTypeChecker();
const sources = new Map(paths.map((path) => [path, program.getSourceFile(path)!]));
const uses = countUses();
const measured = [...sources].flatMap(([path, source]) =>
  functionsOf(source).map((node) => measure(node, source, path)),
);
print();

/** How often each symbol is named, by its symbol. */
function countUses(): Map<ts.Symbol, number> {
  const counts = new Map<ts.Symbol, number>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node)) {
      const symbol = resolved(node);
      const isDeclared = symbol?.declarations?.some((one) => ts.getNameOfDeclaration(one) === node);
      if (symbol && !isDeclared) counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
    }
    ts.forEachChild(node, visit);
  };
  for (const source of sources.values()) visit(source);
  return counts;
}

function resolved(name: ts.Node): ts.Symbol | undefined {
  const parent = name.parent;
  if (ts.isShorthandPropertyAssignment(parent)) return checker.getShorthandAssignmentValueSymbol(parent);
  const symbol = checker.getSymbolAtLocation(name);
  return symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/** Functions at the top of a module, and methods: what is named within a function is part of it. */
function functionsOf(source: ts.SourceFile): FunctionNode[] {
  return source.statements.flatMap<FunctionNode>((statement) => {
    if (ts.isFunctionDeclaration(statement)) return statement.body ? [statement] : [];
    if (ts.isClassDeclaration(statement))
      return statement.members.filter((member) => ts.isMethodDeclaration(member)).filter(({ body }) => body);
    if (!ts.isVariableStatement(statement)) return [];
    return statement.declarationList.declarations.flatMap(({ initializer }) =>
      initializer && (ts.isArrowFunction(initializer) || ts.isFunctionExpression(initializer))
        ? [initializer]
        : [],
    );
  });
}

function measure(node: FunctionNode, source: ts.SourceFile, path: string): Measured {
  const declaration = ts.isVariableDeclaration(node.parent)
    ? node.parent
    : (node as ts.FunctionDeclaration | ts.MethodDeclaration);
  const symbol = checker.getSymbolAtLocation(declaration.name!);
  const lineOf = (position: number) => source.getLineAndCharacterOfPosition(position).line;
  return {
    folder: path.split('/')[0]!,
    lines: lineOf(node.getEnd()) - lineOf(node.getStart(source)) + 1,
    isPrivate: isPrivate(declaration),
    isDocumented: ts.getJSDocCommentsAndTags(declaration).length > 0,
    uses: symbol ? (uses.get(symbol) ?? 0) : 0,
  };
}

/** Of a module or of a class: what others cannot name. */
function isPrivate(declaration: ts.Declaration): boolean {
  const flags = ts.getCombinedModifierFlags(declaration);
  if (ts.isMethodDeclaration(declaration))
    return ts.isPrivateIdentifier(declaration.name) || (flags & ts.ModifierFlags.Private) !== 0;
  return (flags & ts.ModifierFlags.Export) === 0;
}

function print(): void {
  const hidden = measured.filter(({ isPrivate }) => isPrivate);
  const once = hidden.filter(({ uses }) => uses === 1);
  const lines = measured.map((one) => one.lines).sort((a, b) => a - b);
  const tiny = paths.filter((path) => readFileSync(path, 'utf8').trimEnd().split('\n').length < TINY_FILE);
  const rows: [string, unknown][] = [
    ['files', paths.length],
    ['functions', measured.length],
    ['lines of a function, median', quantile(lines, 0.5)],
    ['lines of a function, 90th percentile', quantile(lines, 0.9)],
    ['private functions', hidden.length],
    ['private functions with a doc comment', share(hidden, ({ isDocumented }) => isDocumented)],
    ['private functions with one caller', share(hidden, ({ uses }) => uses === 1)],
    [`of those, of at most ${SHORT} lines`, once.filter((one) => one.lines <= SHORT).length],
    ...FOLDERS.map((folder): [string, string] => [
      `private functions with a doc comment in ${folder}/`,
      share(
        hidden.filter((one) => one.folder === folder),
        ({ isDocumented }) => isDocumented,
      ),
    ]),
    [`files under ${TINY_FILE} lines`, `${tiny.length}  ${tiny.join(' ')}`],
  ];
  process.stdout.write(rows.map(([name, value]) => `${name.padEnd(52)}${value}\n`).join(''));
}

function quantile(sorted: number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
}

function share(all: Measured[], holds: (one: Measured) => boolean): string {
  const some = all.filter(holds).length;
  return `${some} of ${all.length}, ${Math.round((100 * some) / (all.length || 1))} %`;
}
