/** The table of docs and design: what each folder may import. Dependencies point one way. */
const may = {
  contract: [],
  lib: ['contract'],
  api: ['contract'],
  plan: ['api', 'contract'],
  operator: ['api', 'contract', 'lib', 'plan'],
  kafka: ['lib'],
  registry: ['lib'],
  injector: ['contract', 'kafka', 'lib', 'registry'],
  dashboard: ['contract', 'kafka', 'lib'],
  results: ['contract', 'kafka', 'lib'],
  history: ['contract', 'kafka', 'lib'],
  schema: ['api', 'contract', 'lib', 'registry'],
  local: ['api', 'contract', 'kafka', 'lib', 'plan', 'registry'],
  cli: ['api', 'lib', 'local', 'plan'],
};

const folders = Object.keys(may);

/** What is not part of a program. Nothing above may import it. */
const mayInDevelopment = {
  tools: folders,
  testkit: [...folders, 'tools'],
  test: [...folders, 'testkit', 'tools'],
  bench: [...folders, 'testkit'],
};

/**
 * The layers of a program: what each folder may import of the program's others. All may import the shared
 * files at its root, which import none of the folders. The rest at the root assembles the program.
 */
const layers = {
  dashboard: {
    shared: ['credentials', 'events-watch', 'pipeline-state', 'settings', 'topic-state'],
    folders: {
      boards: [],
      static: [],
      stats: ['boards'],
      topics: ['boards', 'stats'],
      page: ['boards', 'stats', 'static'],
      web: ['boards', 'page', 'stats'],
    },
  },
  operator: {
    shared: ['log'],
    folders: { kube: [], queue: [], leader: ['kube'], controller: ['kube', 'queue'] },
  },
};

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-unresolved',
      comment: 'Every import must be there.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dev-dependencies',
      comment: 'What runs in production may not import what only developers install. local/ is in no image.',
      severity: 'error',
      from: { path: `^(${folders.filter((folder) => folder !== 'local').join('|')})/` },
      to: { dependencyTypes: ['npm-dev'] },
    },
    {
      name: 'contract-and-api-import-zod-alone',
      comment: 'What they declare is data: they read no file, clock or network.',
      severity: 'error',
      from: { path: '^(api|contract)/' },
      to: { dependencyTypes: ['npm', 'core'], pathNot: 'node_modules/zod/' },
    },
    {
      name: 'kafka-alone-knows-its-client',
      comment: 'Another client library is a change of kafka/ and of nothing else.',
      severity: 'error',
      from: { path: `^(${folders.filter((folder) => folder !== 'kafka').join('|')})/` },
      to: { path: 'node_modules/kafkajs/' },
    },
    {
      name: 'plan-is-pure',
      comment: 'Of the outside it reads its templates alone, in plan/sql-template.ts.',
      severity: 'error',
      from: { path: '^plan/', pathNot: '^plan/sql-template\\.ts$' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|util)$' },
    },
    {
      name: 'plan-reads-its-templates',
      comment: 'The one door of plan/ to the outside opens on files.',
      severity: 'error',
      from: { path: '^plan/sql-template\\.ts$' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?fs$' },
    },
    ...Object.entries({ ...may, ...mayInDevelopment }).map(([folder, others]) => ({
      name: `${folder}-may-import`,
      comment: `${folder}/ may import ${others.join(', ') || 'no other folder'}.`,
      severity: 'error',
      from: { path: `^${folder}/` },
      to: {
        path: '^[^/]+/',
        dependencyTypesNot: ['core', 'npm', 'npm-dev'],
        pathNot: `^(${[folder, 'node_modules', ...others].join('|')})/`,
      },
    })),
    {
      name: 'tiers-are-apart',
      comment: 'A tier of tests may not import another.',
      severity: 'error',
      from: { path: '^test/(unit|operator|pipeline|browser|images)/' },
      to: { path: '^test/', pathNot: '^test/$1/' },
    },
    ...Object.entries(layers).flatMap(([program, { shared, folders }]) => [
      {
        name: `${program}-shared-files`,
        comment: `What all of ${program}/ shares imports none of its folders.`,
        severity: 'error',
        from: { path: `^${program}/(${shared.join('|')})\\.ts$` },
        to: { path: `^${program}/`, pathNot: `^${program}/(${shared.join('|')})\\.ts$` },
      },
      ...Object.entries(folders).map(([folder, others]) => ({
        name: `${program}-${folder}-may-import`,
        comment: `Of ${program}/, ${folder}/ may import ${[...others, ...shared].join(', ')}.`,
        severity: 'error',
        from: { path: `^${program}/${folder}/` },
        to: {
          path: `^${program}/`,
          pathNot: `^${program}/((${[folder, ...others].join('|')})/|(${shared.join('|')})\\.ts$)`,
        },
      })),
    ]),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.js'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types'],
    },
  },
};
