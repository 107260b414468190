import { v7 } from 'uuid'

/** Ids say what they identify (`prj_…`, `usr_…`) and sort by the time they were made. */
export function newId(prefix: string): string {
  return `${prefix}_${v7().replaceAll('-', '')}`
}

/** The id of an event: also the webhook's id and the key of every effect it has. */
export function newEventId(): string {
  return v7()
}
