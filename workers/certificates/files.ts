import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { Served } from '../../src/modules/certificates/certificates.ts'

/** The service of Traefik that is the API: docker-compose.yml calls it so. */
const service = 'api@docker'

/**
 * Writes what a proxy serves domains with: `certificates/{name}.pem`, chain and key in one, and `tendril.yml`, which tells
 * Traefik of them. Each file is replaced in one step, certificates before what names them. Answers whether anything changed.
 */
export async function writeFiles(dir: string, domains: readonly Served[]): Promise<boolean> {
  const folder = resolve(dir, 'certificates')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const issued = domains.filter(({ pem }) => pem !== null)
  const changed: boolean[] = []
  for (const { name, pem } of issued) changed.push(await replace(dir, join(folder, `${name}.pem`), pem ?? ''))
  const isChanged = changed.includes(true)
  // Traefik reads certificates again when this file is written, whatever it says.
  const described = await replace(dir, join(dir, 'tendril.yml'), describe(folder, domains), isChanged)
  const kept = new Set(issued.map(({ name }) => `${name}.pem`))
  for (const file of await readdir(folder)) if (!kept.has(file)) await rm(join(folder, file), { force: true })
  return isChanged || described
}

/** Traefik's dynamic configuration. JSON is YAML, too. */
export function describe(folder: string, domains: readonly Served[]): string {
  if (domains.length === 0) return '{}\n'
  const routers = Object.fromEntries(
    domains.map(({ id, name }) => [id, { rule: `Host(\`${name}\`)`, entryPoints: ['websecure'], service, tls: {} }]),
  )
  const certificates = domains
    .filter(({ pem }) => pem !== null)
    .map(({ name }) => join(folder, `${name}.pem`))
    .map((file) => ({ certFile: file, keyFile: file }))
  const tls = certificates.length > 0 ? { tls: { certificates } } : {}
  return `${JSON.stringify({ http: { routers }, ...tls }, null, 2)}\n`
}

async function replace(dir: string, path: string, text: string, always = false): Promise<boolean> {
  const before = await readFile(path, 'utf8').catch(() => null)
  if (before === text && !always) return false
  // Beside the folder of certificates, of which a proxy may read every file.
  const fresh = join(dir, `.${basename(path)}.${process.pid}`)
  await writeFile(fresh, text, { mode: 0o600 })
  await rename(fresh, path)
  return true
}
