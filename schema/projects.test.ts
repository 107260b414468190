import assert from 'node:assert/strict'
import { test } from 'node:test'
import { operate } from '../src/testing/operation.ts'
import { createStage } from '../src/testing/stage.ts'

const { world, schemas } = await createStage()

const deleteProject = 'mutation ($input: DeleteProjectInput!) { deleteProject(input: $input) }'

test('a project is deleted by its owner, who gives its name', async () => {
  const { projectId: id, ownerAtConsole: ctx } = await world.createProject()
  const wrong = await operate(schemas, ctx, deleteProject, { input: { id, name: 'Other' } })
  assert.deepEqual(wrong.errors, ['INVALID This is not the name of the project. (input.name)'])
  const gone = await operate(schemas, ctx, deleteProject, { input: { id, name: 'Test' } })
  assert.deepEqual(gone, { data: { deleteProject: id }, errors: [] })
  const { data } = await operate(schemas, ctx, '{ projects { totalCount nodes { id } } }')
  assert.deepEqual(data, { projects: { totalCount: 0, nodes: [] } })
  assert.deepEqual((await operate(schemas, ctx, `{ project(id: "${id}") { id } }`)).data, { project: null })
  const again = await operate(schemas, ctx, deleteProject, { input: { id, name: 'Test' } })
  assert.deepEqual(again.errors, ['NOT_FOUND There is no such project. (input.id)'])
})

test('whoever is not signed in is shown no such field', async () => {
  const { projectId: id } = await world.createProject()
  const { errors } = await operate(schemas, world.context('console'), deleteProject, { input: { id, name: 'Test' } })
  assert.match(errors[0] ?? '', /Unknown type/)
})
