/**
 * Writes the pages that follow from the code: `.env.example`, and the tables of events, of limits and of who may use which field.
 * With `--check` it only says whether they are current.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type GraphQLField, isObjectType } from 'graphql'
import { z } from 'zod'
import type { Access } from '../../schema/access.ts'
import { schema } from '../../schema/index.ts'
import { variables } from '../env.ts'
import { catalogue } from '../event.ts'
import '../modules/catalogue.ts'
import { root } from './imports.ts'
import { limitsPage } from './limits-page.ts'

function envExample(): string {
  const entries = Object.entries(variables).map(([name, variable]) => {
    const parsed = variable.safeParse(undefined)
    const value = parsed.success ? [parsed.data].flat().join(',') : ''
    return `# ${variable.description}\n${parsed.success ? '# ' : ''}${name}=${value}\n`
  })
  return `# Every variable that Tendril reads. Those behind a # have a default.\n\n${entries.join('\n')}`
}

function eventsPage(): string {
  const rows = [...catalogue.values()]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, description, payload }) => `| \`${name}\` | ${description} | ${keysOf(payload)} |`)
  return `# Events

Each event has a full name, nouns and ids from the outermost in, and its action in the past tense:
\`databases.db_….collections.posts.documents.doc_….updated\`. In a pattern \`*\` stands for any one segment. The short name, the last
noun and the action, stands for any full name that ends so: \`documents.updated\`, \`documents.*\`.

Each holds a payload, which webhooks ([webhooks.md](webhooks.md)) and the audit log tell; the audit log leaves the images of documents out.

| short name | when | payload |
|---|---|---|
${rows.join('\n')}
`
}

function keysOf(payload: z.ZodType): string {
  const keys = payload instanceof z.ZodObject ? Object.keys(payload.shape) : []
  return keys.map((key) => `\`${key}\``).join(', ')
}

function accessPage(): string {
  const row = (kind: string) => (field: GraphQLField<unknown, unknown>) => {
    const { audience, scope } = field.extensions.access as Access
    return `| ${kind} | \`${field.name}\` | ${audience.join(', ')} | ${scope ? `\`${scope}\`` : ''} |`
  }
  const kinds = {
    query: schema.getQueryType(),
    mutation: schema.getMutationType(),
    subscription: schema.getSubscriptionType(),
  }
  const roots = Object.entries(kinds).flatMap(([kind, type]) => Object.values(type?.getFields() ?? {}).map(row(kind)))
  const others = Object.values(schema.getTypeMap()).flatMap((type) => {
    if (!isObjectType(type) || Object.values(kinds).includes(type)) return []
    const fields = Object.values(type.getFields()).filter(({ extensions }) => extensions.access)
    return fields.map(row(`\`${type.name}\``))
  })
  return `# Who may use which field

At \`/graphql\`: *visitor* is anybody, *owner* whoever is signed in. At a project's URL: *console* is a member of the project,
*server* an API key with the scope, *client* an end user or a guest. What a caller may not use is not in their schema. The fields
of a project's own collections follow the permissions of each collection. A field of another type is for all who may read what it is a
field of, except those at the end of this table.

| | field | for | scope of a key |
|---|---|---|---|
${[...roots, ...others].join('\n')}

## Wrong passwords

Wrong passwords are counted for the e-mail address, whether or not anybody has it, and for the IP address (of IPv6, its /64) that they come from, on
all nodes together: those of \`signIn\` and the \`currentPassword\` of \`updateAccount\`. Who tries too many ([limits.md](limits.md)) gets
\`LIMIT_EXCEEDED\` with \`retryAfterMs\` and, over HTTP, \`Retry-After\`, and no password is looked at until then. Whoever has signed in from an IP address
before waits only for what was tried there for the same e-mail address, so that nobody is shut out by what others try elsewhere. A right password counts only until it is found right.

Sign-ups are counted by IP address. A server that signs people in or up for them passes their IP address on in \`X-Forwarded-For\` and is one of
\`TRUSTED_PROXIES\`; without that, all of them share its counts. \`createUser\` with an API key is not counted.
`
}

const pages = {
  '.env.example': envExample(),
  'docs/guides/events.md': eventsPage(),
  'docs/guides/access.md': accessPage(),
  'docs/guides/limits.md': limitsPage(),
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

const stale = Object.entries(pages).filter(([path, text]) => readText(join(root, path)) !== text)
if (process.argv.includes('--check')) {
  for (const [path] of stale) process.stderr.write(`${path} is not current: npm run generate\n`)
  process.exit(stale.length === 0 ? 0 : 1)
}
for (const [path, text] of stale) writeFileSync(join(root, path), text)
