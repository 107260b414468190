import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeCursor } from '../../src/cursor.ts'
import { isStream, jsonOf } from '../../src/http/stream.ts'
import { createGraphql, type Graphql } from '../../src/server.ts'
import {
  chores,
  collections,
  mayReadChore,
  mayReadNote,
  notes,
  type Principal,
  principals,
} from '../../src/testing/chores.ts'
import { type Documents, openDocuments } from '../../src/testing/documents.ts'
import { feed } from '../../src/testing/feed.ts'
import { type Relay, startRelay } from '../../workers/relay.ts'

let d: Documents
let relay: Relay
/** With the compiled path, and without. */
let graphqls: Graphql[]

before(async () => {
  d = await openDocuments(collections)
  const inputs = chores.map(({ grants: permissions, ...chore }) => ({ ...chore, permissions, secret: chore.id }))
  const made = `mutation ($teams: [CreateTeamInput!]!, $chores: [CreateChoreInput!]!, $notes: [CreateNoteInput!]!) {
    createTeams(inputs: $teams) { id } createChores(inputs: $chores) { id } createNotes(inputs: $notes) { id } }`
  const teams = ['east', 'west'].map((id) => ({ id, name: id }))
  await d.done(d.owner, made, { teams, chores: inputs, notes })
  relay = startRelay(d.world.app)
  graphqls = [createGraphql(d.world.app), createGraphql(d.world.app, undefined, { plans: false })]
  await settled()
  await d.world.app.cache.look()
})
after(async () => {
  for (const graphql of graphqls) await graphql.close()
  await relay.stop()
  await d.close()
})

async function settled() {
  while ((await d.world.emitted()).length > 0) await sleep(10)
}

const contextOf = ({ actor }: Principal) => d.world.context(d.projectId, actor)

async function ask(graphql: Graphql, who: Principal, query: string, variables: Record<string, unknown> = {}) {
  const answer = await graphql.run(contextOf(who), { query, variables }, ['query'])
  assert.ok(!isStream(answer))
  const { data, errors } = JSON.parse(jsonOf(answer))
  return { data, codes: (errors ?? []).map((one: { extensions: { code: string } }) => one.extensions.code).join() }
}

// biome-ignore lint/suspicious/noExplicitAny: answers of any shape.
type Data = any
const idsOf = ({ nodes }: Data): string[] => nodes.map(({ id }: { id: string }) => id)
const choresOf = (who: Principal) => chores.filter((one) => mayReadChore(who, one))
const notesOf = (who: Principal) => notes.filter((one) => mayReadNote(who, one))
const named = (list: readonly { id: string }[]) => list.map(({ id }) => id)
const byTeam = (who: Principal, team: string) => choresOf(who).filter((one) => one.team === team)
const readableOf = (who: Principal, id: string) => choresOf(who).find((one) => one.id === id)

/** A way to read chores: what is asked, what of the answer is looked at, and what it has to be. */
type Way = { query: string; seen: (data: Data) => unknown; due: (who: Principal) => unknown }

const teams = ['east', 'west']
/** As many as one operation may ask for. */
const some = chores.filter((_, i) => i % 5 === 0)

const ways: Record<string, Way> = {
  list: {
    query: '{ chores(first: 100) { totalCount nodes { id } } }',
    seen: ({ chores }) => [chores.totalCount, idsOf(chores)],
    due: (who) => [choresOf(who).length, named(choresOf(who))],
  },
  'one by one': {
    query: `{ ${some.map(({ id }) => `${id}: chore(id: "${id}") { id }`).join(' ')} }`,
    seen: (data) => Object.values(data).flatMap((one) => (one === null ? [] : (one as { id: string }).id)),
    due: (who) => named(choresOf(who).filter((one) => some.includes(one))),
  },
  'a list that is filtered by what lies beside': {
    query:
      '{ chores(first: 100, where: { or: [{ open: { eq: false } }, { owner: { isNull: true } }] }) { nodes { id } } }',
    seen: ({ chores }) => idsOf(chores),
    due: (who) => named(choresOf(who).filter(({ open, owner }) => open === false || owner === null)),
  },
  'pages by cursor, and what lies around them': {
    query: '{ chores(first: 2, offset: 3) { nodes { id } pageInfo { hasNextPage hasPreviousPage } } }',
    seen: ({ chores: { nodes, pageInfo } }) => [idsOf({ nodes }), pageInfo.hasNextPage, pageInfo.hasPreviousPage],
    due: (who) => {
      const all = named(choresOf(who))
      return [all.slice(3, 5), all.length > 5, all.length > 0]
    },
  },
  'a relation to many': {
    query: '{ teams { nodes { chores(first: 100) { totalCount nodes { id } } } } }',
    seen: ({ teams }) => teams.nodes.map(({ chores }: Data) => [chores.totalCount, idsOf(chores)]),
    due: (who) => teams.map((team) => [byTeam(who, team).length, named(byTeam(who, team))]),
  },
  'a relation to one': {
    query: '{ notes(first: 100) { nodes { id chore { id } } } }',
    seen: ({ notes }) => notes.nodes.map(({ id, chore }: Data) => [id, chore?.id ?? null]),
    due: (who) => notesOf(who).map(({ id, chore }) => [id, readableOf(who, chore)?.id ?? null]),
  },
  'filters through relations: some, none, every': {
    query: `{
      some: teams(where: { chores: { some: { owner: { eq: "bob" }, open: { eq: false } } } }) { nodes { id } }
      none: teams(where: { chores: { none: { owner: { eq: "ann" } } } }) { nodes { id } }
      every: teams(where: { chores: { every: { open: { eq: true } } } }) { nodes { id } }
      notes(first: 100, where: { not: { chore: { rank: { gte: 0 } } } }) { nodes { id } } }`,
    seen: (data) => [idsOf(data.some), idsOf(data.none), idsOf(data.every), idsOf(data.notes)],
    due: (who) => [
      teams.filter((team) => byTeam(who, team).some(({ owner, open }) => owner === 'bob' && open === false)),
      teams.filter((team) => !byTeam(who, team).some(({ owner }) => owner === 'ann')),
      teams.filter((team) => byTeam(who, team).every(({ open }) => open === true)),
      named(notesOf(who).filter(({ chore }) => !readableOf(who, chore))),
    ],
  },
  'an order by related documents': {
    query: '{ notes(first: 100, orderBy: [{ chore: { rank: ASC } }]) { nodes { id } } }',
    seen: ({ notes }) => idsOf(notes),
    due: (who) => {
      const rank = ({ chore }: { chore: string }) => readableOf(who, chore)?.rank ?? Number.POSITIVE_INFINITY
      return named(notesOf(who).toSorted((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1) || 0))
    },
  },
  aggregates: {
    query: `{ all: choresAggregate { count sum { rank } } groups: choresAggregate(groupBy: [{ team: VALUE }]) { key { team } count }
      related: notesAggregate(groupBy: [{ chore: VALUE }], first: 100) { key { chore } } }`,
    seen: ({ all, groups, related }) => [
      all,
      groups.map(({ key, count }: Data) => [key.team, count]),
      related.map(({ key }: Data) => key.chore).toSorted(),
    ],
    due: (who) => {
      const ranks = choresOf(who).map(({ rank }) => rank)
      const related = new Set(notesOf(who).map(({ chore }) => readableOf(who, chore)?.id ?? null))
      return [
        [{ count: ranks.length, sum: { rank: ranks.length > 0 ? `${ranks.reduce((a, b) => a + b, 0)}` : null } }],
        teams.flatMap((team) => (byTeam(who, team).length > 0 ? [[team, byTeam(who, team).length]] : [])),
        [...related].toSorted(),
      ]
    },
  },
  'a field with rights of its own': {
    query: '{ chores(first: 100) { nodes { secret } } }',
    seen: ({ chores }) => chores.nodes.map(({ secret }: Data) => secret),
    due: (who) => choresOf(who).map(({ id }) => (who.roles === null || who.roles.includes('label:red') ? id : null)),
  },
}

for (const [name, { query, seen, due }] of Object.entries(ways)) {
  test(`${name}: all see what the rules say, on both paths, and by an answer that is kept`, async () => {
    for (const [i, graphql] of graphqls.entries()) {
      for (const turn of [query, `query @cached(maxAge: 60) ${query}`, `query @cached(maxAge: 60) ${query}`]) {
        // Guests are shown no field that none of them may read.
        for (const who of principals.filter((one) => one.actor !== null || !query.includes('secret'))) {
          const { data, codes } = await ask(graphql, who, turn)
          assert.equal(codes, '', `${who.name} ${turn}`)
          assert.deepEqual(seen(data), due(who), `${who.name} ${i} ${turn}`)
        }
      }
    }
  })
}

test('answers were kept, and given to others than those who asked first', () => {
  assert.ok(d.world.app.cache.hits() > 2 * Object.keys(ways).length, `${d.world.app.cache.hits()}`)
})

const byField = [
  'chores(where: { secret: { isNull: false } }) { totalCount }',
  'chores(where: { not: { or: [{ secret: { eq: "c01" } }] } }) { nodes { id } }',
  'chores(orderBy: [{ secret: DESC }]) { nodes { id } }',
  'teams(where: { chores: { none: { secret: { eq: "c01" } } } }) { nodes { id } }',
  'teams { nodes { chores(where: { secret: { eq: "c01" } }) { totalCount } } }',
  'notes(orderBy: [{ chore: { secret: ASC } }]) { nodes { id } }',
  'notes(where: { chore: { secret: { startsWith: "c" } } }) { totalCount }',
  'chores(where: { secret: { search: { words: "c01" } } }) { totalCount }',
  'chores(orderBy: [{ secretRank: { search: "c01" } }]) { nodes { id } }',
  'chores(orderBy: [{ place: { near: { type: "Point", coordinates: [1, 2] } } }]) { nodes { id } }',
  'chores(where: { place: { isNull: true } }) { totalCount }',
  'chores(where: { bag: { path: ["a"], exists: true } }) { totalCount }',
  'chores(where: { tags: { has: "a" } }) { totalCount }',
  'choresAggregate { max { secret } }',
  'choresAggregate { countDistinct { secret } }',
  'choresAggregate(groupBy: [{ secret: VALUE }]) { count }',
  'choresAggregate(groupBy: [{ team: VALUE }], having: { max: { secret: { gt: "c" } } }) { count }',
  'choresAggregate(groupBy: [{ team: VALUE }], orderBy: [{ min: { secret: ASC } }]) { count }',
  'choresAggregate(where: { secret: { gt: "c" } }) { count }',
]

test('nobody asks by a field that they may not read, wherever a question takes one', async () => {
  for (const graphql of graphqls)
    for (const asked of byField)
      for (const who of principals.filter(({ actor }) => actor !== null)) {
        const due = who.roles === null || who.roles.includes('label:red') ? '' : 'FORBIDDEN'
        assert.equal((await ask(graphql, who, `{ ${asked} }`)).codes, due, `${who.name} ${asked}`)
        assert.equal((await ask(graphql, who, `query @cached(maxAge: 60) { ${asked} }`)).codes, due, asked)
      }
})

const listened = [
  'choreChanged(where: { secret: { eq: "c01" } }) { id }',
  'choreChanged(where: { not: { and: [{ tags: { has: "a" } }] } }) { id }',
  'choresLive(where: { secret: { eq: "c01" } }) { cursor }',
  'choresLive(orderBy: [{ secret: ASC }]) { cursor }',
  'choresLive(orderBy: [{ place: { near: { type: "Point", coordinates: [1, 2] } } }]) { cursor }',
]

test('nor does anybody listen by one', async () => {
  for (const graphql of graphqls)
    for (const asked of listened)
      for (const who of principals.filter(({ actor }) => actor !== null)) {
        const operation = { query: `subscription { ${asked} }`, variables: {} }
        const answer = await graphql.run(contextOf(who), operation, ['subscription'])
        const may = who.roles === null || who.roles.includes('label:red')
        assert.equal(isStream(answer), may, `${who.name} ${asked}`)
        if (isStream(answer)) await answer.return?.()
        else assert.equal(JSON.parse(jsonOf(answer)).errors[0].extensions.code, 'FORBIDDEN', asked)
        // Where payloads are shared, what is refused is left for execution to refuse.
        if (asked.startsWith('choreChanged'))
          assert.equal((await graphql.feed(contextOf(who), operation)) !== null, may && graphql === graphqls[0])
      }
})

test('subscriptions tell all of what the rules say, level and from a cursor on; so do live queries', async () => {
  const [graphql] = graphqls
  assert.ok(graphql)
  const { tails } = d.world.app
  await settled()
  const { projectId } = d
  const begin = encodeCursor(d.world.env.SECRET_KEYS, { epoch: tails.epoch, projectId }, await tails.head(projectId))
  const changed = 'subscription ($after: String) { choreChanged(after: $after) { id } }'
  const listening = (after: string | null) =>
    Promise.all(
      principals.map(async (who) => ({
        who,
        fed: await feed(graphql, contextOf(who), { query: changed, variables: { after } }),
      })),
    )
  const level = await listening(begin)
  await d.done(d.owner, 'mutation { updateChores(where: {}, set: { touched: 1 }) { count } }')
  await settled()
  for (const { who, fed } of [...level, ...(await listening(begin))]) {
    const due = named(choresOf(who))
    await fed.until(({ length }) => length >= due.length)
    await sleep(20)
    assert.deepEqual(fed.texts.map((text) => JSON.parse(text).data.choreChanged.id).toSorted(), due, who.name)
    fed.leave()
  }
  for (const who of principals) {
    const first = async (query: string): Promise<Data> => {
      const answer = await graphql.run(contextOf(who), { query, variables: {} }, ['subscription'])
      assert.ok(isStream(answer), who.name)
      const { value } = await answer.next()
      await answer.return?.()
      return value
    }
    const { data } = await first('subscription { live: choresLive(first: 100) { nodes { id } } }')
    assert.deepEqual(idsOf(data.live), named(choresOf(who)), who.name)
  }
})
