import type { IConfiguration, IForbiddenRuleType } from 'dependency-cruiser'

/** Who may import whom. Tests may reach further than what they test. */
const tests = '\\.test\\.ts$|^(src/testing|bench|functions-runtime/(testing|verify))/|/fixture\\.ts$'
const entries = '^(src/main|src/embedded|workers/main|functions-runtime/main|cli/main)\\.ts$'
const ours = '^(schema|src|workers|functions-runtime|prisma|examples|bench|cli)/'

/** Files under `from` may import, of ours, only what matches one of `to`. */
const only = (name: string, comment: string, from: string, to: string[]): IForbiddenRuleType => ({
  name,
  comment,
  severity: 'error',
  from: { path: from, pathNot: [tests, entries] },
  to: { path: ours, pathNot: to },
})

const forbidden: IForbiddenRuleType[] = [
  { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
  {
    name: 'everything-resolves',
    severity: 'error',
    // What the benchmarks compare with is installed by them, when they are run.
    from: { pathNot: '^examples/(chinook/|functions/enrich/)?generated/|^bench/documents/postgraphile\\.mjs$' },
    to: { couldNotResolve: true },
  },
  only('lib-is-a-leaf', 'src/lib knows nothing of us.', '^src/lib/', ['^src/lib/']),
  only('core-knows-no-edge', 'The core is true whoever asks.', '^src/(?!(server|api)\\.ts$)', [
    '^src/',
    '^prisma/',
    '^functions-runtime/protocol\\.ts$',
  ]),
  only('api-sits-on-core', 'schema/ and workers/ never see each other.', '^schema/', [
    '^schema/',
    '^src/',
    '^prisma/client/',
  ]),
  only('jobs-sit-on-core', 'schema/ and workers/ never see each other.', '^workers/', [
    '^workers/',
    '^src/',
    '^prisma/client/',
  ]),
  only('sandbox-stands-alone', "Other people's code runs apart.", '^functions-runtime/(?!broker/)', [
    '^functions-runtime/',
  ]),
  only('broker-goes-out-by-the-one-door', 'There is one egress, with one set of rules.', '^functions-runtime/broker/', [
    '^functions-runtime/',
    '^src/platform/egress\\.ts$',
  ]),
  only('the-command-line-is-a-client', 'It knows of the server what its API says.', '^cli/', ['^cli/']),
  {
    name: 'modules-sit-on-the-kernel',
    comment: 'A module knows modules, the kernel, platform and lib; not how it is served.',
    severity: 'error',
    from: { path: '^src/(modules|platform|lib)/', pathNot: tests },
    to: { path: '^src/(http/|server|api|embedded|servers/|main|authenticate|app)' },
  },
  {
    name: 'only-the-server-sees-the-schema',
    severity: 'error',
    from: { path: '^src/', pathNot: [tests, entries, '^src/(server|api)\\.ts$'] },
    to: { path: '^schema/' },
  },
  {
    name: 'nothing-imports-an-entry-point',
    severity: 'error',
    from: {},
    to: { path: entries },
  },
  {
    name: 'no-test-code-in-production',
    comment: 'Planted bugs live with the tests and can never be started.',
    severity: 'error',
    from: { path: ours, pathNot: tests },
    to: { path: '^(src/testing|bench|functions-runtime/(testing|verify))/' },
  },
]

const options: IConfiguration['options'] = {
  parser: 'swc',
  tsPreCompilationDeps: true,
  doNotFollow: { path: 'node_modules|prisma/client' },
  exclude: { path: 'node_modules' },
  enhancedResolveOptions: {
    extensions: ['.ts', '.mjs', '.js'],
    exportsFields: ['exports'],
    conditionNames: ['import', 'node', 'default', 'types'],
  },
}

export default { forbidden, options }
