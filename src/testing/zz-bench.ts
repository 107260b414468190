import { performance } from 'node:perf_hooks'
import { GraphQLSchema, validateSchema } from 'graphql'
import { createWorld } from './world.ts'
import { sqlTransaction } from '../context.ts'
import { raiseRevision } from '../modules/databases/revision.ts'
import { loadModel } from '../documents/model.ts'
import { createSchemas } from '../../schema/schemas.ts'
import { visibleCollections, groupsOf } from '../../schema/documents/visible.ts'
import { startRelay } from '../../workers/relay.ts'
const world = await createWorld()
const relay = startRelay(world.app)
try {
  const { projectId, owner } = await world.createProject()
  const types = ['STRING', 'INTEGER', 'BOOLEAN', 'DATETIME'] as const
  await world.app.db.database.create({ data: { id: 'db_200', projectId, key: 'many', name: 'Many' } })
  const N = Number(process.argv[2] ?? 200)
  const rows = Array.from({ length: N }, (_, i) => ({ id: `col_${i}`, projectId, databaseId: 'db_200', key: `k${i}`, typeName: `Thing${i}`, name: 'x', permissions: ['read:any'], documentPermissions: false, status: 'AVAILABLE' as const }))
  await world.app.db.collection.createMany({ data: rows })
  await world.app.db.attribute.createMany({ data: rows.flatMap(({ id: collectionId }, i) => Array.from({ length: 10 }, (_, j) => { const related = j === 9 && i % 10 > 0; return { id: `att_${i}_${j}`, projectId, collectionId, key: `field${j}`, status: 'AVAILABLE' as const, size: null, type: related ? ('RELATION' as const) : (types[j % 4] ?? 'STRING'), relatedCollectionId: related ? `col_${i - 1}` : null, reverseKey: related ? `reverse${j}` : null } })) })
  await sqlTransaction(owner, raiseRevision)
  for (let k = 0; k < 3; k++) { const t = performance.now(); await world.app.db.collection.findMany({ where: { projectId }, include: { attributes: true } }); console.log('prisma', (performance.now() - t).toFixed(0)) }
  for (let k = 0; k < 3; k++) { const t = performance.now(); const m = await loadModel(world.app.sql, projectId); console.log('model', (performance.now() - t).toFixed(0)); const t2 = performance.now(); groupsOf(visibleCollections(m, { kind: 'all' })); console.log('groups', (performance.now() - t2).toFixed(1)) }
  const real = loadModel
  for (let k = 0; k < 3; k++) {
    const s = createSchemas(world.app)
    await s.for(world.context('console'))
    let t = performance.now(); let c = process.cpuUsage()
    const schema = await s.for(owner); let d = process.cpuUsage(c)
    console.log('first', (performance.now() - t).toFixed(0), 'cpu', ((d.user + d.system) / 1000).toFixed(0))
    await world.app.db.attribute.update({ where: { id: `att_77_0` }, data: { key: `renamed${k}` } })
    await sqlTransaction(owner, raiseRevision)
    for (;;) { t = performance.now(); c = process.cpuUsage(); const n = await s.for(owner); d = process.cpuUsage(c); if (n !== schema) break; await new Promise(r => setTimeout(r, 5)) }
    console.log('replace', (performance.now() - t).toFixed(0), 'cpu', ((d.user + d.system) / 1000).toFixed(0))
    t = performance.now(); validateSchema(new GraphQLSchema({ ...schema.toConfig(), assumeValid: false })); console.log('validate', (performance.now() - t).toFixed(0))
    await s.close()
  }
} finally { await relay.stop(); await world.close() }
