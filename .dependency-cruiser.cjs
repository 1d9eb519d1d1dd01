/**
 * One direction of imports (ARCHITECTURE.md): mains -> processes -> activities | skills -> platform -> contracts;
 * workflows -> contracts only. Each rule says what a violation means and what to do;
 * tests/architecture/rules.test.ts seeds one violation a rule and expects it red.
 */
const PROCESSES = '(gateway|workers|edge|rehearsal|cli|dev)';
const VENDORS =
  '(^|node_modules/)(@anthropic-ai/|@google/generative-ai|openai(/|$)|playwright|ws(/|$)|node-record-lpcm16|@ricky0123/|onnxruntime|koffi|decibri|@ozymandiasthegreat/|@energetic-ai/)';
const MAIN = '(^|/)main\\.ts$';
const FREE = ['^tests/', '^bench/', '^evals/'];

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'A cycle means two files are one file. Merge them, or extract the shared type into contracts/.',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'contracts-is-a-leaf',
      severity: 'error',
      comment: 'contracts/ is what every process agrees on. zod is its only dependency; move what runs elsewhere.',
      from: { path: '^contracts/' },
      to: { pathNot: ['^contracts/', 'node_modules/zod/'] },
    },
    {
      name: 'platform-knows-no-product',
      severity: 'error',
      comment: 'platform/ may know contracts/, Node and its own libraries; never a process or an agent.',
      from: { path: '^platform/' },
      to: { path: `^(skills|workflows|activities|${PROCESSES.slice(1, -1)}|dashboard|tests)/` },
    },
    {
      name: 'skills-route-from-data-alone',
      severity: 'error',
      comment:
        'Routing must be explainable from JSON and a transcript: skills/ may know contracts/, platform/, its schema validator, and what takes words apart.',
      from: { path: '^skills/', pathNot: '/adapters/' },
      to: {
        pathNot: ['^(skills|contracts|platform)/', 'node_modules/(ajv|zod|stemmer|double-metaphone)/'],
        dependencyTypesNot: ['core'],
      },
    },
    {
      name: 'workflows-are-pure',
      severity: 'error',
      comment:
        'Workflow code is replayed. It may import itself, contracts and @temporalio/workflow or common; do the rest in an activity.',
      from: { path: '^workflows/' },
      to: { pathNot: ['^workflows/', '^contracts/', 'node_modules/@temporalio/(workflow|common)/'] },
    },
    {
      name: 'workflows-take-only-types-from-contracts',
      severity: 'error',
      comment: 'Schemas stay out of the sandbox bundle; only the constants of contracts/names.ts are values there.',
      from: { path: '^workflows/' },
      to: { path: '^contracts/', pathNot: '^contracts/names\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'workflows-are-reached-by-path',
      severity: 'error',
      comment:
        'Workers reach workflows by path string, the gateway by name and type from contracts/; an import would run them outside the sandbox.',
      from: { pathNot: ['^workflows/', ...FREE] },
      to: { path: '^workflows/' },
    },
    {
      name: 'activities-know-no-process',
      severity: 'error',
      comment: 'An activity must run under a test, a worker or a REPL alike.',
      from: { path: '^activities/' },
      to: {
        path: [`^(skills|workflows|${PROCESSES.slice(1, -1)})/`, 'node_modules/@temporalio/(worker|client|workflow)/'],
      },
    },
    {
      name: 'environments-are-islands',
      severity: 'error',
      comment: 'Delete any environment folder and the others still build. Only the model port is seen by all.',
      from: { path: '^activities/([^/]+)/' },
      to: { path: '^activities/[^/]+/', pathNot: ['^activities/$1/', '^activities/models/model\\.ts$'] },
    },
    {
      name: 'vendors-behind-adapters',
      severity: 'error',
      comment: 'A vendor SDK is a detail of one adapter file; logic sees the port.',
      from: { pathNot: ['/adapters/', ...FREE] },
      to: { path: VENDORS },
    },
    {
      name: 'adapters-enter-through-a-root',
      severity: 'error',
      comment:
        'Only a main.ts or an index.ts of an activities folder chooses an implementation; everything else receives it.',
      from: { pathNot: [MAIN, '^activities/[^/]+/index\\.ts$', '/adapters/', ...FREE] },
      to: { path: '/adapters/' },
    },
    {
      name: 'environments-enter-through-index',
      severity: 'error',
      comment: 'A worker sees an environment or the models by their index only; inside, things may move.',
      from: { path: '^(workers|cli|bench)/' },
      to: { path: '^activities/[^/]+/', pathNot: ['^activities/[^/]+/index\\.ts$', '^activities/models/model\\.ts$'] },
    },
    {
      name: 'processes-never-meet',
      severity: 'error',
      comment: 'Processes talk over HTTP or Temporal, not over import.',
      from: { path: `^${PROCESSES}/` },
      to: { path: `^${PROCESSES}/`, pathNot: '^$1/' },
    },
    {
      name: 'only-workers-run-activities',
      severity: 'error',
      comment: 'Side effects belong to workers; another process that imports them runs them outside Temporal.',
      from: { pathNot: ['^(activities|workers)/', ...FREE] },
      to: { path: '^activities/' },
    },
    {
      name: 'only-gateway-and-cli-route',
      severity: 'error',
      comment:
        'Understanding happens once, in the gateway (and offline in the command line). rehearsal/ reads the data, not the code.',
      from: { pathNot: ['^(skills|gateway|cli)/', ...FREE] },
      to: { path: '^skills/.*\\.ts$' },
    },
    {
      name: 'edge-is-light',
      severity: 'error',
      comment: 'The Windows process holds one key and no orchestration code.',
      from: { path: '^edge/' },
      to: {
        path: [
          '^(activities|workflows|skills)/',
          'node_modules/(@temporalio|express|@anthropic-ai|@google|playwright)',
        ],
      },
    },
    {
      name: 'temporal-client-in-adapters',
      severity: 'error',
      comment:
        'The gateway speaks to Temporal through one adapter behind its port; the worker main reports dead predecessors.',
      from: { pathNot: ['^gateway/adapters/', MAIN, ...FREE] },
      to: { path: 'node_modules/@temporalio/client/' },
    },
    {
      name: 'temporal-worker-in-workers',
      severity: 'error',
      comment: 'Only worker processes host workflows and activities.',
      from: { pathNot: ['^workers/', ...FREE] },
      to: { path: 'node_modules/@temporalio/worker/' },
    },
    {
      name: 'temporal-activity-in-the-wrapper',
      severity: 'error',
      comment:
        'Only the files directly in activities/ speak Temporal; an environment gets a Control and an AbortSignal.',
      from: { pathNot: ['^activities/[^/]+\\.ts$', '^workers/', ...FREE] },
      to: { path: 'node_modules/@temporalio/activity/' },
    },
    {
      name: 'express-in-gateway',
      severity: 'error',
      comment: 'HTTP for people is the gateway. Other processes have at most a bare node:http page.',
      from: { pathNot: ['^gateway/', ...FREE] },
      to: { path: 'node_modules/express/' },
    },
    {
      name: 'dashboard-sees-contract-types',
      severity: 'error',
      comment: 'The page talks to the gateway over HTTP; of our code it may know types of contracts/ only.',
      from: { path: '^dashboard/' },
      to: { path: `^(platform|skills|workflows|activities|${PROCESSES.slice(1, -1)})/` },
    },
    {
      name: 'setup-stands-alone',
      severity: 'error',
      comment:
        'setup/ runs on whatever Node the machine has, before anything is installed: Node itself and its own files, nothing else.',
      from: { path: '^setup/' },
      to: { pathNot: '^setup/', dependencyTypesNot: ['core'] },
    },
    {
      name: 'mains-are-not-imported',
      severity: 'error',
      comment: 'A main.ts has side effects; start it as a process.',
      from: {},
      to: { path: MAIN },
    },
    {
      name: 'threads-are-started-by-path',
      severity: 'error',
      comment:
        'A *-worker.ts is the root of a worker thread; imported, it would run in the thread of whoever imports it. Start it by URL; its types may be known.',
      from: {},
      to: { path: '-worker\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'nothing-imports-tests-or-benchmarks',
      severity: 'error',
      comment: 'What tests need of each other lives in tests/fakes; the product needs none of it.',
      from: { pathNot: FREE },
      to: { path: FREE },
    },
    {
      name: 'tests-share-only-fakes',
      severity: 'error',
      comment: 'A test file that imports another runs its tests twice. Move what both need to tests/fakes.',
      from: { path: '\\.test\\.ts$' },
      to: { path: '\\.test\\.ts$' },
    },
    {
      name: 'no-dev-dependencies-in-production',
      severity: 'error',
      comment: 'It would be missing where only production packages are installed.',
      from: { pathNot: [...FREE, '\\.config\\.', '^setup/'] },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-undeclared-packages',
      severity: 'error',
      comment: 'It is there by luck of hoisting. Add it to package.json, or import what you meant.',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown'] },
    },
    {
      name: 'no-unresolvable-imports',
      severity: 'error',
      comment: 'The file is not there.',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dead-files',
      severity: 'error',
      comment: 'Unreachable from every main. Delete it, or use it.',
      from: { path: `${MAIN}|^workflows/index\\.ts$` },
      to: {
        path: `^(contracts|platform|skills|activities|workflows|${PROCESSES.slice(1, -1)})/.*\\.ts$`,
        pathNot: [MAIN, '^workflows/index\\.ts$'],
        reachable: false,
      },
    },
    {
      name: 'platform-earns-its-place',
      severity: 'error',
      comment: 'A shared file with one user belongs to that user.',
      from: { path: `^(${PROCESSES.slice(1, -1)}|activities|skills|platform)/` },
      // models.json: one file for worker and edge, so it starts where both may read it.
      module: { path: '^platform/', pathNot: '^platform/models\\.json$', numberOfDependentsLessThan: 2 },
    },
  ],
  options: {
    // Never `exclude` node_modules: then every vendor rule passes vacuously.
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    exclude: { path: '^(dist|logs|data|coverage|examples|\\.toolchain)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
