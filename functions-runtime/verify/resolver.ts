/** A name server whose one name, `rebind.test`, moves: a public address for whoever looks first, this machine for whoever looks again. */
import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Port 53 is the only one that can be named for the system's own resolver, so each has an address of its own. */
const host = `127.${randomInt(1, 255)}.${randomInt(1, 255)}.53`
const typeA = 1

export type Resolver = {
  /** What a program is started with, so that the system's resolver asks this one. */
  within: string[]
  close: () => void
}

/** Why it cannot be had here; null when it can: the system's resolver is moved in a mount namespace of the program's own. */
export function whyNoResolver(): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'a name server of its own needs root on Linux'
  return existsSync('/usr/bin/unshare') ? null : 'there is no unshare'
}

export async function startResolver(addresses: readonly [first: string, later: string]): Promise<Resolver> {
  const socket = createSocket('udp4')
  // A question that is sent again is no other look.
  let firstLook: string | null = null
  socket.on('message', (question, from) => {
    const isAddress = question.readUInt16BE(questionEnd(question) - 4) === typeA
    const isMoving = isAddress && question.includes('\x06rebind\x04test\0', 12, 'latin1')
    const [first, later] = addresses
    const look = `${from.port} ${question.readUInt16BE(0)}`
    if (isMoving) firstLook ??= look
    const address = isMoving ? (look === firstLook ? first : later) : null
    socket.send(answerTo(question, address), from.port, from.address)
  })
  await once(socket.bind(53, host), 'listening')
  const folder = mkdtempSync(join(tmpdir(), 'tendril-resolver-'))
  const file = join(folder, 'resolv.conf')
  writeFileSync(file, `nameserver ${host}\n`)
  return {
    within: ['unshare', '--mount', 'sh', '-c', 'mount --bind "$0" /etc/resolv.conf && exec "$@"', file],
    close: () => {
      socket.close()
      rmSync(folder, { recursive: true })
    },
  }
}

/** Behind the name, its type and its class. */
function questionEnd(question: Buffer): number {
  let at = 12
  while (at < question.length && question[at] !== 0) at += (question[at] ?? 0) + 1
  return at + 5
}

/** The question again, and the address, which is good for no time at all; without one there is none of that type. */
function answerTo(question: Buffer, address: string | null): Buffer {
  const asked = Buffer.from(question.subarray(0, questionEnd(question)))
  asked.writeUInt16BE(0x8180, 2)
  asked.writeUInt16BE(1, 4)
  asked.writeUInt16BE(address ? 1 : 0, 6)
  asked.fill(0, 8, 12)
  if (!address) return asked
  const record = [0xc0, 12, 0, typeA, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]
  return Buffer.concat([asked, Buffer.from(record)])
}
