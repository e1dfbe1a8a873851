/** The table of docs and design: what each folder may import. Dependencies point one way. */
const may = {
  lib: [],
  contract: [],
  api: ['contract'],
  plan: ['api', 'contract'],
  operator: ['api', 'contract', 'lib', 'plan'],
  kafka: ['lib'],
  injector: ['contract', 'kafka', 'lib'],
  dashboard: ['contract', 'kafka', 'lib'],
  local: ['api', 'contract', 'kafka', 'lib', 'plan'],
  cli: ['api', 'lib', 'local', 'plan'],
};

const folders = Object.keys(may);

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
      comment: 'What runs in production may not import what only tests install.',
      severity: 'error',
      from: { path: `^(${folders.join('|')})/` },
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
    ...folders.map((folder) => ({
      name: `${folder}-may-import`,
      comment: `${folder}/ may import ${may[folder].join(', ') || 'no other folder'}.`,
      severity: 'error',
      from: { path: `^${folder}/` },
      to: {
        path: '^[^/]+/',
        dependencyTypesNot: ['core', 'npm'],
        pathNot: `^(${[folder, 'node_modules', ...may[folder]].join('|')})/`,
      },
    })),
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
