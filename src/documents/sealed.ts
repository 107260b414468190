import type { Context } from '../context.ts'
import { decrypt, encrypt } from '../lib/secrets.ts'
import type { Value } from './value.ts'

/** An encrypted value as a statement answers it: its ciphertext, and the document that it belongs to. */
export type Sealed = { id: string; ciphertext: string }

type Keys = Pick<Context, 'env' | 'projectId'>

/** Encrypts a value for one attribute of one document: moved elsewhere it opens no more. */
export function seal({ env, projectId }: Keys, attributeId: string, id: string, value: Value): string {
  return encrypt(env.SECRET_KEYS, JSON.stringify([projectId, attributeId, id, value]))
}

export function unseal({ env, projectId }: Keys, attributeId: string, { id, ciphertext }: Sealed): Value {
  const [project, attribute, document, value] = JSON.parse(decrypt(env.SECRET_KEYS, ciphertext))
  if (project !== projectId || attribute !== attributeId || document !== id) {
    throw new Error('A ciphertext stands where it was not written.')
  }
  return value
}
