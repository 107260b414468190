import { testContract } from '../../src/testing/docker/contract.ts'

testContract([
  { runtime: 'node-22', folder: 'javascript', entrypoint: 'main.ts' },
  { runtime: 'deno-2', folder: 'javascript', entrypoint: 'main.ts' },
  { runtime: 'bun-1', folder: 'javascript', entrypoint: 'main.ts' },
])
