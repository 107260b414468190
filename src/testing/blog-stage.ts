/** A blog with one author, and nothing else, for every test of a file. Importing it makes a world for the file that does. */
import { after, before, beforeEach } from 'node:test'
import { createBlog } from './blog.ts'
import { type Documents, openProject } from './documents.ts'

export let blog: Documents

before(async () => {
  blog = await openProject(createBlog)
})
beforeEach(async () => {
  await blog.clear()
  await blog.done(blog.owner, 'mutation { createAuthor(input: { id: "Ann", name: "Ann" }) { id } }')
})
after(() => blog.close())

/** What waits in the outbox. */
export async function payloads() {
  const { rows } = await blog.world.app.sql.query('select name, type, payload from events.outbox order by position')
  return rows
}
