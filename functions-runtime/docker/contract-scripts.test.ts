import { languages, testContract } from '../../src/testing/docker/contract.ts'

testContract(languages.scripts)
