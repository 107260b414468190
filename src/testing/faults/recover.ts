import { setTimeout as sleep } from 'node:timers/promises'
import { post } from './client.ts'
import { pathOf } from './project.ts'
import { readSink, sinkFile } from './sink.ts'
import type { Stage } from './stage.ts'

/** A system that has not recovered after so long has not. */
const longestMs = 60_000

/** Milliseconds from `since` until something written afterwards was acknowledged and has reached every listener; null for too long. */
export async function recover(
  stage: Stage,
  name: string,
  { since, patienceMs }: { since: number; patienceMs: number },
): Promise<number | null> {
  const until = performance.now() + Math.min(patienceMs, longestMs)
  const text = await acknowledged(stage, name, until)
  const isHeard = () =>
    stage.project.principals.every((principal) =>
      readSink(sinkFile(stage.dir, principal.name, 'noteChanged')).some((line) => 'key' in line && line.key === text),
    )
  while (text !== null && performance.now() < until) {
    if (isHeard()) return Math.round(performance.now() - since)
    await sleep(20)
  }
  return null
}

/** Asks one node after the other until one acknowledges. Each try is a note of its own: one whose answer was lost may be there. */
async function acknowledged({ urls, project }: Stage, name: string, until: number): Promise<string | null> {
  const query = 'mutation ($input: CreateNoteInput!) { createNote(input: $input) { id } }'
  for (let tries = 0; performance.now() < until; tries += 1) {
    const text = `${name}-${tries}`
    const input = { text, permissions: [{ role: 'any', right: 'READ' }] }
    const url = (urls[tries % urls.length] ?? '') + pathOf(project.id)
    const answer = await post(url, project.key, query, { input }).catch(() => null)
    if (answer?.data && !answer.errors) return text
    await sleep(20)
  }
  return null
}
