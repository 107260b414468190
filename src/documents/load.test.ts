import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createCollections } from '../testing/collections.ts'
import { eventually } from '../testing/receiver.ts'
import { createWorld, type World } from '../testing/world.ts'
import { loadModel } from './load.ts'
import type { ProjectModel } from './model.ts'

let world: World

before(async () => {
  world = await createWorld()
})
after(() => world.close())

const relation = (to: string, reverseKey: string) => ({ type: 'RELATION' as const, to, reverseKey })

async function createModel() {
  const { projectId, owner } = await world.createProject()
  const ids = await createCollections(owner, {
    cities: { attributes: { name: { type: 'STRING' } } },
    rivers: { attributes: { name: { type: 'STRING' } } },
    bridges: { attributes: { river: relation('rivers', 'bridges') } },
    tolls: { attributes: { bridge: relation('bridges', 'tolls') } },
  })
  const load = (former?: ProjectModel) => loadModel(world.app.sql, projectId, former)
  return { projectId, ids, load }
}

/** Which collections of the second model are those of the first. */
function keptOf(former: ProjectModel, now: ProjectModel): string[] {
  return [...now.collections.values()].filter((one) => former.collections.get(one.id) === one).map(({ key }) => key)
}

test('what did not change is taken from the model before; all else is as if read anew', async () => {
  const { projectId, ids, load } = await createModel()
  const { attribute, collection, index } = world.app.db
  const about = { projectId, collectionId: ids.cities ?? '', attributes: ['name'], status: 'AVAILABLE' as const }
  const changes: [kept: string[], change: () => Promise<unknown>][] = [
    [['cities', 'rivers', 'bridges', 'tolls'], async () => {}],
    [
      ['cities', 'bridges', 'tolls'],
      () => attribute.updateMany({ where: { collectionId: ids.rivers ?? '' }, data: { size: 7 } }),
    ],
    // A relation is of both its ends.
    [
      ['cities', 'tolls'],
      () => attribute.updateMany({ where: { collectionId: ids.bridges ?? '' }, data: { reverseKey: 'spans' } }),
    ],
    [['cities', 'rivers'], () => attribute.updateMany({ where: { key: 'bridge' }, data: { status: 'DELETING' } })],
    [['cities', 'rivers'], () => attribute.updateMany({ where: { key: 'bridge' }, data: { status: 'AVAILABLE' } })],
    [
      ['rivers', 'bridges', 'tolls'],
      () => collection.update({ where: { id: ids.cities ?? '' }, data: { rules: '[]', permissions: ['read:any'] } }),
    ],
    [
      ['rivers', 'bridges', 'tolls'],
      () => index.create({ data: { ...about, id: 'idx_1', key: 'words', type: 'FULLTEXT', language: 'english' } }),
    ],
    [
      ['rivers', 'bridges', 'tolls'],
      () => index.create({ data: { ...about, id: 'idx_2', key: 'one', type: 'UNIQUE' } }),
    ],
    [['rivers', 'bridges', 'tolls'], () => index.delete({ where: { id: 'idx_1' } })],
    // Without its other end there is no relation.
    [['cities', 'tolls'], () => collection.update({ where: { id: ids.rivers ?? '' }, data: { status: 'DELETING' } })],
    [['cities', 'tolls'], () => collection.update({ where: { id: ids.rivers ?? '' }, data: { status: 'AVAILABLE' } })],
    [
      ['tolls'],
      () => attribute.updateMany({ where: { key: 'river' }, data: { relatedCollectionId: ids.cities ?? '' } }),
    ],
    [['rivers', 'tolls'], () => collection.delete({ where: { id: ids.cities ?? '' } })],
    [['rivers'], () => collection.delete({ where: { id: ids.bridges ?? '' } })],
  ]
  let former = await load()
  for (const [kept, change] of changes) {
    await change()
    const now = await load(former)
    assert.deepEqual(now, await load())
    assert.deepEqual(keptOf(former, now).sort(), kept.sort())
    former = now
  }
})

test('whose a name is stays known while names stay, and is found anew when one changes', async () => {
  const { ids, load } = await createModel()
  const former = await load()
  const cities = { where: { id: ids.cities ?? '' } }
  await world.app.db.attribute.updateMany({ where: { collectionId: ids.rivers ?? '' }, data: { size: 8 } })
  const changed = await load(former)
  assert.equal(changed.owners, former.owners)
  assert.equal(changed.owners.get('CityWhere'), ids.cities)
  await world.app.db.collection.update({ ...cities, data: { typeName: 'Town' } })
  const renamed = await load(changed)
  assert.deepEqual([renamed.owners.get('CityWhere'), renamed.owners.get('TownWhere')], [undefined, ids.cities])
  await world.app.db.collection.update({ ...cities, data: { status: 'DELETING' } })
  assert.equal((await load(renamed)).owners.get('TownWhere'), undefined)
})

test('a clash of names that comes or goes leaves nothing behind', async () => {
  const { ids, load } = await createModel()
  const rename = (typeName: string) => {
    return world.app.db.collection.update({ where: { id: ids.rivers ?? '' }, data: { typeName } })
  }
  const clean = await load()
  await rename('CityWhere')
  const clashing = await load(clean)
  assert.deepEqual(clashing, await load())
  assert.equal(clashing.collections.size, 3)
  assert.deepEqual(await load(clashing), clashing)
  await rename('River')
  assert.deepEqual(await load(clashing), clean)
})

test('a project that does not exist, and one without collections', async () => {
  const none = await loadModel(world.app.sql, 'prj_none')
  assert.deepEqual([none.revision, none.collections.size], [-1, 0])
  const { projectId } = await world.createProject()
  const empty = await loadModel(world.app.sql, projectId)
  assert.deepEqual([empty.revision, empty.collections.size], [0, 0])
})

test('attributes that are made together wait for others at one collection after the other, in the order of their ids', async () => {
  const { projectId, ids } = await createModel()
  const [low = '', high = ''] = [ids.cities ?? '', ids.rivers ?? ''].sort()
  const { sql } = world.app
  const [one, two] = [await sql.connect(), await sql.connect()]
  const touch = (collectionId: string) =>
    two.query('update attributes set size = 9 where "collectionId" = $1', [collectionId])
  try {
    await two.query('begin')
    await touch(low)
    const made = one.query(
      `insert into attributes (id, "projectId", "collectionId", key, "column", type, "updatedAt")
       select 'att_' || place, $1, id, 'more', 'more', 'STRING', now() from unnest($2::text[]) with ordinality as t(id, place)`,
      [projectId, [high, low]],
    )
    await eventually(async () => {
      const { rows } = await sql.query(
        'select from pg_stat_activity where wait_event_type = $1 and datname = current_database()',
        ['Lock'],
      )
      assert.equal(rows.length, 1)
    })
    await touch(high)
    await two.query('commit')
    assert.equal((await made).rowCount, 2)
  } finally {
    one.release()
    two.release()
  }
})
