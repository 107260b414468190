import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deploy, makeFunction } from '../src/testing/functions.ts'
import { operate } from '../src/testing/operation.ts'
import { createStage } from '../src/testing/stage.ts'

const { world, schemas, owner: ctx } = await createStage()

const key = (...scopes: string[]) => world.context(ctx.projectId, { kind: 'key', id: 'key_1', scopes: new Set(scopes) })
const blind = key('functions.write', 'functions.read')

/** Functions that are told of documents, or decide on documents or users, though they may do nothing by themselves. */
const told = [
  [{ events: ['documents.created'] }, ['documents.read']],
  [{ events: ['*'] }, ['documents.read']],
  [{ hooks: [{ on: 'documents.before-create' }] }, ['documents.read', 'documents.write']],
  [{ hooks: [{ on: 'users.before-create' }] }, ['users.read', 'users.write']],
] as const

const calls = (functionId: string, deploymentId: string) => [
  `mutation { createDeployment(input: { functionId: "${functionId}", source: "export default () => {}" }) { id } }`,
  `mutation { activateDeployment(id: "${deploymentId}") { id } }`,
  `mutation { updateFunction(input: { id: "${functionId}", events: [], hooks: [] }) { id } }`,
  `mutation { setVariable(input: { functionId: "${functionId}", key: "URL", value: "https://evil.example" }) { id } }`,
  'mutation { setVariable(input: { key: "URL", value: "https://evil.example" }) { id } }',
]

test('whoever may not be told what a function is told gives it no code, no variables and no other settings', async () => {
  for (const [given, needed] of told) {
    const { id } = await makeFunction(ctx, undefined, given)
    const spare = await deploy(ctx, id, 'export default () => {}')
    for (const call of calls(id, spare)) {
      const { errors } = await operate(schemas, blind, call)
      assert.match(errors.join(), /^FORBIDDEN .*(documents|users)\./, `${JSON.stringify(given)} ${call}`)
    }
    const allowed = key('functions.write', ...needed)
    for (const call of calls(id, spare).reverse())
      assert.deepEqual((await operate(schemas, allowed, call)).errors, [], `${JSON.stringify(given)} ${call}`)
    await operate(schemas, ctx, `mutation { deleteFunction(id: "${id}") }`)
  }
})
