/** The rights of a run: places that each hold one of several values, and change while others listen. */
import { isDeepStrictEqual } from 'node:util'
import { sqlTransaction } from '../../context.ts'
import { emit } from '../../event.ts'
import { raiseRevision } from '../../modules/databases/revision.ts'
import { userUpdated } from '../../modules/users/events.ts'
import { until } from '../feed.ts'
import type { Random } from '../fuzz/random.ts'
import { collections, markerRule, type Name, names, pools, restrictedFields } from './collections.ts'
import { type Stage, users } from './stage.ts'

type Value = readonly unknown[]

export type Flip = { name: string; apply: () => Promise<void>; undo: () => Promise<void> }

export type Rights = {
  /** Another value for one place. */
  flip: (random: Random) => Flip
  /** All values of now, as text: what a run says of a finding. */
  describe: () => string
  /** Whether this user holds one of the roles that may read the field. */
  mayReadField: (user: string, collection: Name, field: string) => boolean
}

type Place = { name: string; values: readonly Value[]; now: Value; write: (value: Value) => Promise<void> }

export function createRights(stage: Stage): Rights {
  const places = new Map(
    [
      ...users.map((user) => userPlace(stage, user)),
      ...names.flatMap((name) => [permissionsPlace(stage, name), rulesPlace(stage, name)]),
      ...names.flatMap((name) => restrictedFields[name].map((field) => fieldPlace(stage, name, field))),
    ].map((place) => [place.name, place]),
  )
  const set = async (place: Place, value: Value) => {
    await place.write(value)
    place.now = value
  }
  const held = (name: string) => (places.get(name)?.now ?? []) as readonly string[]
  return {
    flip: (random) => {
      const place = random.pick([...places.values()])
      const before = place.now
      const after = random.pick(place.values.filter((value) => !isDeepStrictEqual(value, before)))
      return {
        name: `${place.name}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`,
        apply: () => set(place, after),
        undo: () => set(place, before),
      }
    },
    describe: () => [...places.values()].map(({ name, now }) => `${name} ${JSON.stringify(now)}`).join('\n    '),
    mayReadField: (user, collection, field) => {
      const marks = held(user)
      const labels = marks.filter((mark) => mark !== 'verified').map((label) => `label:${label}`)
      const roles = ['users', `user:${user}`, ...labels, ...(marks.includes('verified') ? ['users/verified'] : [])]
      return held(`${collection}.${field}`).some((role) => roles.includes(role))
    },
  }
}

function userPlace({ owner }: Stage, user: string): Place {
  const write = (value: Value) =>
    sqlTransaction(owner, async (tx) => {
      const labels = value.filter((mark) => mark !== 'verified')
      const verified = value.includes('verified')
      await tx.query('update users set labels = $2, "emailVerified" = $3 where id = $1', [user, labels, verified])
      await emit(tx, userUpdated, { userId: user })
    })
  return { name: user, values: pools.user, now: [], write }
}

function permissionsPlace(stage: Stage, name: Name): Place {
  const write = (value: Value) =>
    changeSchema(stage, 'update collections set permissions = $2 where id = $1', [stage.ids[name], value])
  return { name: `${name} permissions`, values: pools.permissions, now: collections[name].permissions ?? [], write }
}

function rulesPlace(stage: Stage, name: Name): Place {
  const write = (value: Value) => {
    const rules = JSON.stringify([markerRule, ...value])
    return changeSchema(stage, 'update collections set rules = $2 where id = $1', [stage.ids[name], rules])
  }
  return { name: `${name} rules`, values: pools.rules, now: [], write }
}

function fieldPlace(stage: Stage, name: Name, field: string): Place {
  const write = (value: Value) => {
    const permissions = value.map((role) => `read:${role}`)
    const text = 'update attributes set permissions = $3 where "collectionId" = $1 and key = $2'
    return changeSchema(stage, text, [stage.ids[name], field, permissions])
  }
  return { name: `${name}.${field}`, values: pools.readers, now: ['users'], write }
}

/** Resolves once the node has taken it up, which it does within a second. */
async function changeSchema({ schemas, owner }: Stage, text: string, values: readonly unknown[]): Promise<void> {
  const former = await schemas.for(owner)
  await sqlTransaction(owner, async (tx) => {
    await tx.query(text, values)
    await raiseRevision(tx)
  })
  await until(
    async () => (await schemas.for(owner)) !== former,
    () => 'The schema was not taken up',
  )
}
