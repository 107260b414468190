import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { buildSchema } from 'graphql'
import { catalogue } from '../event.ts'
import './catalogue.ts'
import { deletable, hanging } from './deletes/hanging.ts'
import { metrics } from './usage/metrics.ts'

/** Every noun that something happens to, as events name it. */
const nouns = [...new Set([...catalogue.keys()].map((name) => name.slice(0, name.indexOf('.'))))]

/** Whose type is not called as its events are. */
const typeNames: Readonly<Record<string, string>> = { runs: 'TaskRun', versions: 'SchemaVersion', indexes: 'Index' }

/** Nouns without a subscription of their own, each with the reason. */
const unsubscribed: Readonly<Record<string, string>> = {
  documents: 'Each collection has its own: `postChanged`.',
  verifications: 'It is a secret on its way: `userChanged` tells when it was redeemed.',
}

const typeName = (noun: string) => typeNames[noun] ?? singular(noun)

function singular(noun: string): string {
  const one = noun.replace(/ies$/, 'y').replace(/s$/, '')
  return `${one.charAt(0).toUpperCase()}${one.slice(1)}`
}

const schema = buildSchema(readFileSync(new URL('../../schema/schema.graphql', import.meta.url), 'utf8'))
const subscriptions = schema.getSubscriptionType()?.getFields() ?? {}

test('there are nouns, and no exception for one that is not there', () => {
  assert.ok(nouns.length > 15, String(nouns))
  for (const noun of [...Object.keys(unsubscribed), ...Object.keys(typeNames)]) assert.ok(nouns.includes(noun), noun)
})

for (const noun of nouns) {
  test(`${noun} has a subscription of the one form`, { skip: unsubscribed[noun] ?? false }, () => {
    const type = typeName(noun)
    const field = subscriptions[`${type.charAt(0).toLowerCase()}${type.slice(1)}Changed`]
    assert.ok(field, `schema/ has no subscription for ${noun}: add a changedField() beside its type.`)
    assert.deepEqual(field.args.map(({ name, type }) => `${name}: ${type}`).sort(), ['after: String', 'id: ID'])
    const change = schema.getType(`${type}Change`)
    const fields = change && 'getFields' in change ? Object.values(change.getFields()) : []
    assert.deepEqual(fields.map(({ name, type }) => `${name}: ${type}`).sort(), [
      'at: DateTime!',
      'cursor: String!',
      'event: String!',
      'id: ID!',
      'kind: ResourceChangeKind!',
      `node: ${type}`,
    ])
  })
}

/** Nouns that do not go with their project, each with the reason. */
const apart: Readonly<Record<string, string>> = {
  projects: 'It is the project.',
}

for (const noun of nouns) {
  test(`${noun} go with their project`, { skip: apart[noun] ?? false }, () => {
    const parts = hanging.projects.flatMap(({ nouns }): readonly string[] => nouns)
    assert.ok(parts.includes(noun), `Say in deletes/hanging.ts how ${noun} go when their project is deleted.`)
  })
}

test('what is marked as deleted has an event that says so', () => {
  for (const noun of deletable) assert.ok(catalogue.has(`${noun}.deleted`), noun)
})

/** Nouns of which nobody asks how many there are, each with the reason. */
const uncounted: Readonly<Record<string, string>> = {
  projects: 'Usage is that of one project.',
  verifications: 'They last for an hour.',
}

for (const noun of nouns) {
  test(`${noun} are counted`, { skip: uncounted[noun] ?? false }, () => {
    assert.ok(metrics.has(`${noun}.stored`), `Say in usage/metrics.ts in which table ${noun} are counted.`)
    const happens = [...catalogue.keys()].filter((name) => name.startsWith(`${noun}.`))
    for (const name of happens) assert.ok(metrics.has(name), name)
  })
}
