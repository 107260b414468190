import type { Context } from '../../context.ts'
import { Forbidden, Invalid } from '../../errors.ts'
import { catalogue } from '../../event.ts'
import { scopesOf } from '../permissions/roles.ts'

const segment = /^(\*|[A-Za-z0-9_-]{1,64})$/

/**
 * Says what is wrong with a pattern of the event grammar, null when nothing is. `*` names every event;
 * `documents.updated`, with `*` for either part, names events by their short form; a full pattern puts the path before
 * the action, with `*` for any segment: `databases.*.collections.posts.documents.*.updated`.
 */
export function whyNotPattern(pattern: string): string | null {
  if (pattern === '*') return null
  const segments = pattern.split('.')
  if (!segments.every((text) => segment.test(text))) return `“${pattern}” is not a pattern of events.`
  // Noun, id, noun, id, …, action; or noun and action alone.
  if (segments.length !== 2 && segments.length % 2 === 0) return `“${pattern}” must end in a noun, an id and an action.`
  const noun = segments.length === 2 ? segments[0] : segments.at(-3)
  const action = segments.at(-1)
  const isKnown = [...catalogue.keys()].some((type) => {
    const [eventNoun, eventAction] = type.split('.')
    return (noun === '*' || noun === eventNoun) && (action === '*' || action === eventAction)
  })
  return isKnown ? null : `“${pattern}” names no event that there is, as \`documents.updated\` and \`users.*\` do.`
}

/** Throws Invalid for the first that is no pattern. */
export function requirePatterns(patterns: readonly string[], path: readonly string[]): void {
  for (const [i, pattern] of patterns.entries()) {
    const reason = whyNotPattern(pattern)
    if (reason) throw new Invalid(reason, [...path, `${i}`])
  }
}

/** Events of documents carry the documents: who may not read them is not to have them sent to itself. */
export function requireReadableEvents(ctx: Pick<Context, 'actor'>, events: readonly string[], what: string): void {
  if (scopesOf(ctx)?.has('documents.read') !== false || !events.some(namesDocuments)) return
  throw new Forbidden(`${what} for events of documents needs the scope documents.read.`)
}

/** Whether a pattern can name an event of a document, which carries the document itself. */
export function namesDocuments(pattern: string): boolean {
  const segments = pattern.split('.')
  const noun = segments.length > 2 ? segments.at(-3) : segments[0]
  return noun === '*' || noun === 'documents'
}
