import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { isStream, jsonOf } from '../../src/http/stream.ts'
import { createGraphql, type Graphql } from '../../src/server.ts'
import {
  type Chore,
  chores,
  collections,
  mayCreateChore,
  mayDeleteChore,
  mayReadChore,
  mayUpdateChore,
  type Principal,
  principals,
} from '../../src/testing/chores.ts'
import { type Documents, openDocuments } from '../../src/testing/documents.ts'

let d: Documents
let graphql: Graphql
let was: string

before(async () => {
  d = await openDocuments(collections)
  graphql = createGraphql(d.world.app)
  const inputs = chores.map(({ grants: permissions, ...chore }) => ({ ...chore, permissions }))
  const made = `mutation ($teams: [CreateTeamInput!]!, $chores: [CreateChoreInput!]!) {
    createTeams(inputs: $teams) { id } createChores(inputs: $chores) { id } }`
  await d.done(d.owner, made, { teams: ['east', 'west'].map((id) => ({ id, name: id })), chores: inputs })
  was = await d.state()
})
after(async () => {
  await graphql.close()
  await d.close()
})

/**
 * What became of a change: nothing stays of it, for the second field of its transaction always fails. `DONE` where that was the
 * first to fail.
 */
async function outcome(who: Principal, field: string): Promise<string> {
  const query = `mutation @transaction { a: ${field} b: updateTeam(input: { id: "nowhere", name: "x" }) { id } }`
  const ctx = d.world.context(d.projectId, who.actor)
  const answer = await graphql.run(ctx, { query, variables: {} }, ['mutation'])
  assert.ok(!isStream(answer))
  const { errors } = JSON.parse(jsonOf(answer))
  const [{ path, extensions }] = errors
  return path[0] === 'b' ? 'DONE' : extensions.code
}

const users = principals.filter(({ actor }) => actor !== null)
/** Every other one of each kind of grants. */
const some = chores.filter((_, i) => (i + Math.floor(i / 4)) % 2 === 0)

/** Of a document that is there: not for who cannot read it, refused to who may not do this. */
const dueOf = (who: Principal, chore: Chore, may: boolean) =>
  mayReadChore(who, chore) ? (may ? 'DONE' : 'FORBIDDEN') : 'NOT_FOUND'

/** By a right that comes of a rule, the chore must satisfy one afterwards as well. */
function mayMake(who: Principal, before: Chore, after: Chore): boolean {
  const isGranted = before.grants.some(({ right, role }) => right === 'UPDATE' && who.roles?.includes(role))
  return mayUpdateChore(who, before) && (isGranted || mayUpdateChore(who, after))
}

const changes: Record<string, { set: string; made: Partial<Chore> }> = {
  'what no rule looks at': { set: 'touched: 1', made: {} },
  'to another owner': { set: 'owner: "zoe"', made: { owner: 'zoe' } },
  'to another team': { set: 'team: "west"', made: { team: 'west' } },
  'to be closed': { set: 'open: false', made: { open: false } },
}

for (const [name, { set, made }] of Object.entries(changes)) {
  test(`a change ${name} is made by whom the rules let, before and after`, async () => {
    for (const who of users)
      for (const chore of some) {
        const due = dueOf(who, chore, mayMake(who, chore, { ...chore, ...made }))
        const say = `${who.name} ${JSON.stringify(chore)}`
        assert.equal(await outcome(who, `updateChore(input: { id: "${chore.id}", ${set} }) { id }`), due, say)
      }
    assert.equal(await d.state(), was)
  })
}

test('so it is by an upsert, a bulk form, with relations in it, and from the other end of a relation', async () => {
  for (const who of users)
    for (const chore of some) {
      const { id } = chore
      const say = `${who.name} ${JSON.stringify(chore)}`
      const moved = { ...chore, owner: 'zoe' }
      const due = dueOf(who, chore, mayMake(who, chore, moved))
      const isThere = due !== 'NOT_FOUND'
      const upsert = `upsertChore(input: { id: "${id}", owner: "zoe" }) { id }`
      // An id is taken for everybody.
      const upserted = await outcome(who, upsert)
      assert.ok(isThere ? upserted === due : ['CONFLICT', 'FORBIDDEN'].includes(upserted), `${say} ${upserted}`)
      const all = `updateChores(where: { id: { eq: "${id}" } }, set: { owner: "zoe" }) { count }`
      assert.equal(await outcome(who, all), isThere ? due : 'DONE', say)
      const nested = `updateChore(input: { id: "${id}", owner: "zoe", notes: { connect: [] } }) { id }`
      assert.equal(await outcome(who, nested), due, say)
      const west = mayMake(who, chore, { ...chore, team: 'west' })
      const joined = `updateTeam(input: { id: "west", chores: { connect: ["${id}"] } }) { id }`
      const dueJoined = isThere ? (west ? 'DONE' : 'FORBIDDEN') : 'INVALID'
      assert.equal(await outcome(who, joined), dueJoined, `${say} joined`)
    }
  assert.equal(await d.state(), was)
})

test('what is at the other end is parted from it by whom the rules let, and what is not there for them stays', async () => {
  for (const who of users)
    for (const chore of some.filter(({ team }) => team === 'east')) {
      const free = { ...chore, team: '' }
      const due = mayReadChore(who, chore) ? (mayMake(who, chore, free) ? 'DONE' : 'FORBIDDEN') : 'DONE'
      const parted = `updateTeam(input: { id: "east", chores: { disconnect: ["${chore.id}"] } }) { id }`
      assert.equal(await outcome(who, parted), due, `${who.name} ${JSON.stringify(chore)}`)
    }
  assert.equal(await d.state(), was)
})

test('a delete is made by whom the rules let, by its id and by what matches', async () => {
  for (const who of users)
    for (const chore of some) {
      const due = dueOf(who, chore, mayDeleteChore(who, chore))
      const say = `${who.name} ${JSON.stringify(chore)}`
      assert.equal(await outcome(who, `deleteChore(id: "${chore.id}")`), due, say)
      const all = `deleteChores(where: { or: [{ id: { eq: "${chore.id}" } }, { id: { eq: "none" } }] }) { count }`
      assert.equal(await outcome(who, all), due === 'NOT_FOUND' ? 'DONE' : due, say)
    }
  assert.equal(await d.state(), was)
})

test('a document is created by whom the rules let, alone, among others, within another and by an upsert', async () => {
  for (const who of users)
    for (const chore of some) {
      const { owner, open, team } = chore
      const own = `owner: ${JSON.stringify(owner)}, open: ${open}, team: "${team}"`
      const due = mayCreateChore(who, { ...chore, grants: [] }) ? 'DONE' : 'FORBIDDEN'
      const say = `${who.name} ${own}`
      assert.equal(await outcome(who, `createChore(input: { ${own} }) { id }`), due, say)
      assert.equal(await outcome(who, `createChores(inputs: [{ ${own} }]) { id }`), due, say)
      assert.equal(await outcome(who, `upsertChore(input: { id: "new", ${own} }) { id }`), due, say)
      const within = `owner: ${JSON.stringify(owner)}, open: ${open}`
      const nested = `updateTeam(input: { id: "${team}", chores: { create: [{ ${within} }] } }) { id }`
      assert.equal(await outcome(who, nested), due, say)
    }
  assert.equal(await d.state(), was)
})

test('one that they may read and not change is enough to refuse the whole of a bulk form', async () => {
  for (const who of users) {
    const readable = chores.filter((one) => mayReadChore(who, one))
    const may = readable.filter((one) => mayUpdateChore(who, one))
    const ids = JSON.stringify(may.map(({ id }) => id))
    const theirs = `updateChores(where: { id: { in: ${ids} } }, set: { touched: 2 }) { count }`
    assert.equal(await outcome(who, theirs), 'DONE', who.name)
    const all = await outcome(who, 'updateChores(where: {}, set: { touched: 2 }) { count }')
    assert.equal(all, may.length === readable.length ? 'DONE' : 'FORBIDDEN', who.name)
  }
  assert.equal(await d.state(), was)
})
