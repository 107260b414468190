import { testContract } from '../../src/testing/docker/contract.ts'

/** Dart is not among them: nothing here carries it, and its shim has not been tried. */
const languages = [
  { runtime: 'go-1.24', folder: 'go', entrypoint: 'main.go' },
  { runtime: 'java-17', folder: 'java', entrypoint: 'Main.java' },
]

testContract(languages, ['debian'])
