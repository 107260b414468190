import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'

/** How a server says, in one of the languages it is translated into, what of its English is parsed in places. */
type Language = {
  severity: string
  taken: (key: string) => string
  absent: (key: string, table: string) => string
  pointedAt: (key: string, table: string) => string
}

export const languages: Readonly<Record<string, Language>> = {
  de: {
    severity: 'FEHLER',
    taken: (key) => `Schlüssel »${key}« existiert bereits.`,
    absent: (key, table) => `Schlüssel ${key} ist nicht in Tabelle »${table}« vorhanden.`,
    pointedAt: (key, table) => `Auf Schlüssel ${key} wird noch aus Tabelle »${table}« verwiesen.`,
  },
  fr: {
    severity: 'ERREUR',
    taken: (key) => `La clé « ${key} » existe déjà.`,
    absent: (key, table) => `La clé ${key} n'est pas présente dans la table « ${table} ».`,
    pointedAt: (key, table) => `La clé ${key} est toujours référencée à partir de la table « ${table} ».`,
  },
  zh_CN: {
    severity: '错误',
    taken: (key) => `键 ${key} 已存在。`,
    absent: (key, table) => `表 "${table}" 中不存在键 ${key}。`,
    pointedAt: (key, table) => `键 ${key} 仍被表 "${table}" 引用。`,
  },
}

/**
 * Stands before a PostgreSQL server and tells its errors as one does whose `lc_messages` is this language. Servers have
 * catalogues of messages only where they were installed.
 */
export async function speaking(language: Language, url: string): Promise<{ url: string; close: () => void }> {
  const { hostname, port } = new URL(url)
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ host: hostname, port: Number(port), noDelay: true })
    const translate = translator(language)
    near.pipe(far)
    far.on('data', (bytes: Buffer) => near.write(translate(bytes)))
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => {}).on('close', () => other.destroy())
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const own = Object.assign(new URL(url), { hostname: '127.0.0.1', port: (server.address() as AddressInfo).port })
  return { url: own.href, close: () => void server.close() }
}

/** Takes what a server sends in any pieces, and gives on whole messages: a letter, a length, a body. */
function translator(language: Language): (bytes: Buffer) => Buffer {
  let rest = Buffer.alloc(0)
  return (bytes) => {
    rest = Buffer.concat([rest, bytes])
    const whole: Buffer[] = []
    while (rest.length >= 5 && rest.length > rest.readUInt32BE(1)) {
      const message = rest.subarray(0, rest.readUInt32BE(1) + 1)
      rest = rest.subarray(message.length)
      whole.push(message[0] === 0x45 ? translated(message, language) : message)
    }
    return Buffer.concat(whole)
  }
}

/** An ErrorResponse is a list of texts, each behind the letter of its field. */
function translated(message: Buffer, language: Language): Buffer {
  const fields = message.subarray(5, -1).toString().split('\0').slice(0, -1)
  const body = Buffer.from(`${fields.map((field) => `${inLanguage(field, language)}\0`).join('')}\0`)
  const head = Buffer.from([0x45, 0, 0, 0, 0])
  head.writeUInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

function inLanguage(field: string, { severity, taken, absent, pointedAt }: Language): string {
  if (field === 'SERROR') return `S${severity}`
  if (!field.startsWith('DKey ')) return field
  const [, key = '', what, table = ''] =
    /^DKey (\(.*\)) (already exists|is not present in table|is still referenced from table)(?: "(.*)")?\.$/s.exec(
      field,
    ) ?? []
  if (what === 'already exists') return `D${taken(key)}`
  return `D${what === 'is not present in table' ? absent(key, table) : pointedAt(key, table)}`
}
