/**
 * Prints every change of a project's posts as it happens, and goes on after a lost connection.
 *
 *   node examples/live-posts/main.ts http://localhost:4000/projects/prj_…/graphql key_…
 */
import { follow } from '../client/live.ts'

const [url, secret] = process.argv.slice(2)
if (!url) {
  process.stderr.write("Say which project: node examples/live-posts/main.ts <the project's URL> [secret]\n")
  process.exit(1)
}

const query = `subscription ($after: String) {
  postChanged(after: $after) { cursor kind id node { title } }
}`

follow<{ title: string }>(
  { url, authorization: secret && `Bearer ${secret}` },
  query,
  'postChanged',
  ({ kind, id, node }) => process.stdout.write(`${kind} ${id} ${node?.title ?? ''}\n`),
  (error) => {
    process.stderr.write(`The subscription ended: ${error instanceof Error ? error.message : JSON.stringify(error)}\n`)
    process.exit(1)
  },
)
