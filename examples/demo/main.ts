/**
 * `npm run demo`: a newcomer's first hour on a fresh instance, over real HTTP, WebSocket, SSE and SMTP. Each step says what
 * it did, as one would do it by hand in GraphiQL.
 */

import { followAndResume, readAndWrite } from './documents.ts'
import { startInstance } from './instance.ts'
import { audits, mail, task, webhook } from './later.ts'
import { manyAtOnce } from './many.ts'
import { startMailbox, startReceiver } from './receivers.ts'
import { defineCollections, makeProject, signUpAsOwner, signUpUsers } from './setting-up.ts'
import { step, summary } from './steps.ts'

const started = performance.now()
const mailbox = await startMailbox()
const receiver = await startReceiver()
let stop = async () => {}

try {
  const instance = await step('npm start: PostgreSQL, Redis, the API and the workers are up', () =>
    startInstance({ SMTP_URL: mailbox.url }),
  )
  stop = instance.stop
  const owner = await signUpAsOwner(instance.url)
  const project = await makeProject(owner)
  const collections = await defineCollections(project)
  const users = await signUpUsers(project)
  const hook = await webhook.register(project, receiver.url)
  const cron = await task.register(project, receiver.url)
  const posts = await readAndWrite(project, users)
  await followAndResume(users, posts)
  await manyAtOnce(users)
  await audits(project, posts)
  await webhook.arrives(hook, receiver.calls, collections)
  await mail(users, mailbox.mails)
  await task.runs(project, cron, receiver.calls)
} catch {
  // The step has told it; what comes after stands on it.
} finally {
  await stop()
  mailbox.close()
  receiver.close()
}

const { text, failed } = summary()
process.stdout.write(`\nThat took ${((performance.now() - started) / 1000).toFixed(1)} s.\n${text}\n`)
process.exit(failed === 0 ? 0 : 1)
