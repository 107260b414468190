import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createStage, type Stage } from './fixture.ts'
import type { Schema } from './schema/types.ts'

let stage: Stage
before(async () => {
  stage = await createStage()
})
after(() => stage.close())

const schema = {
  databases: {
    main: {
      collections: {
        things: {
          permissions: ['write:users', 'read:any', 'read:any', 'create:users'],
          rules: [
            { right: 'write', role: 'users', where: { name: { eq: '$userId' } } },
            {
              right: 'read',
              role: 'any',
              where: {
                or: [{ at: { gt: '2024-01-01T00:00:00+01:00' } }, { createdAt: { lt: '2024-01-01T00:00:00+01:00' } }],
                not: { price: { lt: 5 }, uuid: { in: ['F47AC10B-58CC-4372-A567-0E02B2C3D479'] } },
                ip: { in: ['0:0:0:0:0:0:0:1', '::ffff:10.0.0.1'] },
                name: { isNull: false },
              },
            },
          ],
          attributes: {
            at: { type: 'DATETIME', min: '2020-01-01T00:00:00+02:00', default: '2024-01-01T00:00:00+01:00' },
            price: { type: 'DECIMAL', min: 0, max: '0100.50', default: 1.5 },
            tiny: { type: 'DECIMAL', min: '-0.0', default: 1e-7 },
            big: { type: 'BIGINT', min: 0, max: '0100', default: 7 },
            float: { type: 'FLOAT', min: -0, default: 1.0 },
            uuid: { type: 'UUID', default: 'F47AC10B-58CC-4372-A567-0E02B2C3D479' },
            ip: { type: 'IP', default: '0:0:0:0:0:0:0:1' },
            mail: { type: 'EMAIL', default: 'Ann@Example.org', pattern: '@' },
            json: { type: 'JSON', default: { b: 1, a: [{ z: 1.0, y: 2 }] } },
            name: { type: 'STRING', size: 90, list: false, required: false },
            text: { type: 'TEXT', computed: "lower( name )||'a'" },
          },
          indexes: { byName: { type: 'KEY', attributes: ['name'], orders: ['ASC'] } },
        },
      },
    },
  },
} satisfies Schema

test('what a file spells in another way than the server is no change', async () => {
  writeFileSync(join(stage.folder, 'tendril.schema.ts'), `export default ${JSON.stringify(schema)}\n`)
  const push = await stage.tendril('schema', 'push')
  assert.equal(push.code, 0, push.err)
  const diff = await stage.tendril('schema', 'diff')
  assert.deepEqual([diff.code, diff.out], [0, 'Nothing to do.\n'])
})

test('what the server refuses stays as it is, and is refused', async () => {
  const { projectId, key } = await stage.createProject()
  const refused = async (attribute: object, message: RegExp) => {
    const collections = { things: { attributes: { one: attribute } } }
    const text = JSON.stringify({ databases: { main: { collections } } })
    writeFileSync(join(stage.folder, 'tendril.schema.ts'), `export default ${text}\n`)
    const environment = { TENDRIL_PROJECT: projectId, TENDRIL_KEY: key }
    const { code, err } = await stage.tendrilAs(environment, 'schema', 'push')
    assert.equal(code, 1, JSON.stringify(attribute))
    assert.match(err, message)
  }
  const noMoment = /This is not a moment in ISO 8601 with its time zone/
  await refused({ type: 'DATETIME', default: 'no 1' }, noMoment)
  await refused({ type: 'DATETIME', min: '2026-02-30T00:00:00Z' }, noMoment)
  await refused({ type: 'DATETIME', max: '2026-02-03T00:00:00' }, noMoment)
  await refused({ type: 'IP', default: '10' }, /This is not an address of the internet/)
})

test('the type of a file has what the server takes, and nothing else', () => {
  const of = (attributes: Schema['databases'][string]['collections'][string]['attributes']) => attributes
  // @ts-expect-error A TEXT has no size.
  of({ text: { type: 'TEXT', size: 5 } })
  // @ts-expect-error A TEXT is too long to be unique.
  of({ text: { type: 'TEXT', unique: true } })
  // @ts-expect-error A VECTOR has no default.
  of({ vector: { type: 'VECTOR', dimensions: 1, default: [1] } })
})
