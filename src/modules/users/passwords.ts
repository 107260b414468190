import { hash, verify } from '@node-rs/argon2'

/** OWASP's parameters for argon2id (19 MiB, two passes, one lane), which are also this library's own. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

export function hashPassword(password: string): Promise<string> {
  return hash(password, parameters)
}

/** What a sign-in for an address that nobody has is compared with, so that it takes as long as any other. */
let nobody: Promise<string> | undefined

/** Constant in time whether or not there is such a user (`passwordHash` null). */
export async function verifyPassword(passwordHash: string | null, password: string): Promise<boolean> {
  nobody ??= hashPassword('nobody')
  const matches = await verify(passwordHash ?? (await nobody), password)
  return matches && passwordHash !== null
}
