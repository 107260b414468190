import { type Logged, type Sides, sidesOf } from '../change.ts'
import type { CollectionModel } from '../model.ts'
import { mayRead, readsAll, readsByRule } from '../permissions.ts'
import type { Caller } from '../scope.ts'
import type { Reader } from './members.ts'

export type Readers = {
  of: (key: string, caller: Caller) => Reader
  drop: (reader: Reader) => void
  /** Of those who do not read all documents: who may read the row before or after, as the permissions say. */
  find: (logged: Logged) => Map<Reader, Sides>
}

/** Callers by the roles that documents name: a row that one user may read costs as much as one user. */
export function createReaders(collection: CollectionModel): Readers {
  const readers = new Map<string, Reader>()
  const byRole = new Map<string, Set<Reader>>()
  const byRule = new Set<Reader>()

  const rolesOf = ({ caller, isOpen }: Reader) =>
    collection.documentPermissions && !isOpen ? (caller.roles ?? []) : []
  const of = (key: string, caller: Caller) => {
    const known = readers.get(key)
    if (known) return known
    const reader: Reader = { key, caller, isOpen: readsAll(collection, caller), members: new Set() }
    readers.set(key, reader)
    for (const role of rolesOf(reader)) byRole.set(role, (byRole.get(role) ?? new Set()).add(reader))
    if (!reader.isOpen && readsByRule(collection, caller)) byRule.add(reader)
    return reader
  }
  const drop = (reader: Reader) => {
    readers.delete(reader.key)
    byRule.delete(reader)
    for (const role of rolesOf(reader)) {
      byRole.get(role)?.delete(reader)
      if (byRole.get(role)?.size === 0) byRole.delete(role)
    }
  }
  const find = (logged: Logged) => {
    const found = new Map<Reader, Sides>()
    const look = (reader: Reader) => {
      if (found.has(reader)) return
      const sides = sidesOf(logged, (image) => mayRead(collection, reader.caller, image))
      if (sides.was || sides.is) found.set(reader, sides)
    }
    for (const image of [logged.before, logged.after])
      for (const role of image?._read ?? []) for (const reader of byRole.get(role) ?? []) look(reader)
    for (const reader of byRule) look(reader)
    return found
  }
  return { of, drop, find }
}
