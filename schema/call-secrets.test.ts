import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readBasicAuth, readHeaders } from '../src/modules/calls/secrets.ts'
import { operate } from '../src/testing/operation.ts'
import { createStage } from '../src/testing/stage.ts'

const { world, schemas, owner: ctx } = await createStage()

const nouns = {
  webhook: { type: 'Webhook', made: 'events: ["users.*"]', selected: 'webhook { id }' },
  task: { type: 'Task', made: 'schedule: "0 3 * * *"', selected: 'id' },
} as const

const headers = 'headers: [{ name: "x-token", value: "canary" }]'
const login = 'basicAuth: { username: "ann", password: "canary" }'
const url = 'url: "https://receiver.example:8443/hook"'

async function make(noun: keyof typeof nouns, given: string): Promise<string> {
  const { type, made, selected } = nouns[noun]
  const create = `mutation { made: create${type}(input: { name: "a", ${url}, ${made}, ${given} }) { ${selected} } }`
  const { data, errors } = await operate(schemas, ctx, create)
  assert.deepEqual(errors, [])
  return data?.made.webhook?.id ?? data?.made.id
}

const change = (noun: keyof typeof nouns, id: string, given: string) =>
  operate(schemas, ctx, `mutation { update${nouns[noun].type}(input: { id: "${id}", ${given} }) { id url } }`)

for (const noun of ['webhook', 'task'] as const)
  test(`what a ${noun} sends in secret to one server is not sent to another one by changing its address`, async () => {
    for (const secret of [headers, login]) {
      for (const other of [
        'https://evil.example/hook',
        'https://receiver.example/hook',
        'http://receiver.example:8443/hook',
      ]) {
        const id = await make(noun, secret)
        const refused = await change(noun, id, `url: "${other}"`)
        assert.match(refused.errors.join(), /^INVALID .*\(input\.(headers|basicAuth)\)$/, `${secret} ${other}`)
        assert.deepEqual((await change(noun, id, 'url: "https://receiver.example:8443/other"')).errors, [])
        assert.deepEqual((await change(noun, id, `url: "${other}", headers: [], basicAuth: null`)).errors, [])
        const row = await (noun === 'task'
          ? world.app.db.task
          : (world.app.db.webhook as never as typeof world.app.db.task)
        ).findUniqueOrThrow({ where: { id } })
        assert.deepEqual([readHeaders(world.env, row.headers), readBasicAuth(world.env, row.basicAuth)], [{}, null])
        assert.equal(row.url, other)
      }
    }
    const id = await make(noun, `${headers}, ${login}`)
    const again = `url: "https://new.example", ${headers}, ${login}`
    assert.deepEqual((await change(noun, id, again)).errors, [])
    const plain = await make(noun, '')
    assert.deepEqual((await change(noun, plain, 'url: "https://new.example"')).errors, [])
  })
