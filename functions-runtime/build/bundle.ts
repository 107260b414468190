import { existsSync, readdirSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join, normalize } from 'node:path'
import { type BuildFailure, type BuildOptions, build, type Message, type Metafile, type Plugin } from 'esbuild'
import { BuildFailed } from './failure.ts'
import type { Tell } from './lines.ts'

/** Most bytes of an artefact for isolates, its source map included. */
export const artefactBytes = 10 * 1024 * 1024

/**
 * One script of an entry point and all that it imports, with its source map: `__function.default` is what it exports. Throws
 * BuildFailed with the first mistake; all of them are told as `file:line:column`.
 */
export async function bundle(folder: string, entrypoint: string, tell: Tell): Promise<Uint8Array> {
  requireEntrypoint(folder, entrypoint)
  const begun = performance.now()
  const built = await attempt(folder, entrypoint).catch((error) => {
    throw failureOf(error, entrypoint, tell)
  })
  for (const warning of built.warnings) tell(sentence(warning, entrypoint), 'error')
  requireInside(built.metafile)
  // One that neither imports nor exports is a script of its own.
  const entry = built.metafile.inputs[normalize(entrypoint)]
  if (entry && !entry.format) throw new BuildFailed(noDefault(entrypoint))
  const [{ contents } = { contents: new Uint8Array() }] = built.outputFiles
  if (contents.length > artefactBytes) throw new BuildFailed(tooLarge(contents.length, built.metafile))
  const files = Object.keys(built.metafile.inputs).length - 1
  const seconds = ((performance.now() - begun) / 1_000).toFixed(2)
  tell(`Bundled ${files} ${files === 1 ? 'file' : 'files'} into ${kilobytes(contents.length)} in ${seconds} s.`)
  return contents
}

const sourcefile = 'tendril:entry'
const kilobytes = (bytes: number) => `${Math.ceil(bytes / 1024).toLocaleString('en-US')} KB`

/** What a program exports that has no default export: `fetch`, or a function for each method. */
const methods = ['fetch', 'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** What an entry point may export is found out by asking for it: esbuild says what is missing. */
async function attempt(folder: string, entrypoint: string) {
  const from = `from ${JSON.stringify(`./${entrypoint}`)}`
  try {
    return await exported(folder, from, { form: script, all: `export * ${from}`, main: `export { default } ${from}` })
  } catch (error) {
    if (!isAll(error, ({ text }) => text.startsWith('Top-level await'))) throw error
    const give = (name: string) => `import ${name} ${from}\n__give(${name.split(' ').at(-1)})`
    return await exported(folder, from, { form: awaited, all: give('* as all'), main: give('main') })
  }
}

/** What becomes of a program, and the statements by which its entry point's exports are what it gives. */
type Form = Pick<BuildOptions, 'format' | 'globalName' | 'banner' | 'footer'>
type Exports = { form: Form; all: string; main: string }

async function exported(folder: string, from: string, { form, all, main }: Exports) {
  try {
    return await run(folder, `${main}\n${all}`, form)
  } catch (error) {
    if (!isAll(error, isNoExport) || error.errors.length > 1) throw error
    const asked = await run(folder, `export { ${methods.join(', ')} } ${from}`, form).catch((missing) => missing)
    if (isAll(asked, isNoExport) && asked.errors.length === methods.length) throw error
    return run(folder, all, form)
  }
}

const script: Form = { format: 'iife', globalName: '__function' }

/** What awaits at its top level is no script: its exports come by a promise. */
const awaited: Form = {
  format: 'esm',
  banner: { js: '"use strict";var __function=(async()=>{let __given;const __give=(given)=>{__given=given};' },
  footer: { js: 'return __given})();' },
}

function isAll(error: unknown, is: (message: Message) => boolean): error is BuildFailure {
  const { errors } = error as BuildFailure
  return Array.isArray(errors) && errors.length > 0 && errors.every(is)
}

const isNoExport = ({ text, location }: Message) =>
  location?.file === sourcefile && text.startsWith('No matching export')

function run(folder: string, contents: string, form: Form) {
  return build({
    stdin: { contents, resolveDir: folder, sourcefile },
    absWorkingDir: folder,
    outfile: join(folder, 'function.js'),
    write: false,
    bundle: true,
    metafile: true,
    ...form,
    target: 'es2024',
    // What is imported by a name that only a run knows is refused by that name; no program is a module of its own.
    supported: { 'dynamic-import': false, 'import-meta': false },
    platform: 'browser',
    mainFields: ['browser', 'module', 'main'],
    conditions: ['worker', 'browser', 'module'],
    // A program is called with its variables by that name (isolate/sandbox/program.ts).
    define: { 'process.env.NODE_ENV': '"production"', 'process.env': '__env', global: 'globalThis' },
    plugins: [packages],
    loader: { '.txt': 'text', '.md': 'text', '.html': 'text', '.graphql': 'text', '.wasm': 'binary' },
    sourcemap: 'inline',
    sourcesContent: false,
    legalComments: 'none',
    charset: 'utf8',
    logLevel: 'silent',
    logLimit: 100,
  })
}

/** `node:buffer` is the package `buffer`, where the archive has one: isolates have nothing of that name. */
const packages: Plugin = {
  name: 'packages',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^node:/ }, async ({ path, importer, resolveDir, kind }) => {
      const found = await resolve(path.slice('node:'.length), { importer, resolveDir, kind })
      return found.errors.length === 0 && existsSync(found.path) ? found : undefined
    })
  },
}

function requireEntrypoint(folder: string, entrypoint: string): void {
  const path = join(folder, entrypoint)
  if (!path.startsWith(`${folder}/`)) throw new BuildFailed(`The entry point “${entrypoint}” is not in the archive.`)
  if (existsSync(path)) return
  const there = readdirSync(folder).slice(0, 20).join(', ')
  throw new BuildFailed(`The entry point “${entrypoint}” is not in the archive. It has: ${there}.`)
}

/** An import may name any file that the process can read: what is not in the archive is none of the function's. */
function requireInside({ inputs }: Metafile): void {
  const outside = Object.keys(inputs).find((path) => path.startsWith('../') || path.startsWith('/'))
  if (outside !== undefined) throw new BuildFailed(`“${outside}” is imported, which is not in the archive.`)
}

function tooLarge(bytes: number, { outputs }: Metafile): string {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs))
  const [path, { bytesInOutput }] = inputs.sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput)[0] ?? [
    '',
    { bytesInOutput: 0 },
  ]
  return `The bundle has ${kilobytes(bytes)}, and may have ${kilobytes(artefactBytes)}. Its largest part is ${path} with ${kilobytes(bytesInOutput)}.`
}

function failureOf(error: unknown, entrypoint: string, tell: Tell): Error {
  const { errors } = error as BuildFailure
  if (!Array.isArray(errors) || errors.length === 0) return error as Error
  const lines = errors.map((message) => sentence(message, entrypoint))
  for (const line of lines) tell(line, 'error')
  return new BuildFailed(lines.length === 1 ? `${lines[0]}` : `${lines[0]} (and ${lines.length - 1} more)`)
}

const builtins = new Set(builtinModules)

const noDefault = (entrypoint: string) =>
  `${entrypoint}: it has no default export. A function is \`export default async ({ req, res }) => …\`.`

/** `src/index.ts:3:14: node:fs is not there in an isolate, but with the runtime node-22.` */
function sentence({ text, location }: Message, entrypoint: string): string {
  const isOurs = location?.file === sourcefile
  const place = location && !isOurs ? `${location.file}:${location.line}:${location.column + 1}: ` : ''
  const [, name = ''] = /^Could not resolve "(?:node:)?([^"]+)"/.exec(text) ?? []
  if (builtins.has(name) || (name !== '' && text.includes('"node:')))
    return `${place}node:${name} is not there in an isolate, but with the runtime node-22.`
  if (text.startsWith('"import.meta"')) return `${place}import.meta is not there in an isolate, and is empty.`
  if (isNoExport({ text, location } as Message)) return noDefault(entrypoint)
  return `${place}${text}${/[.!?]$/.test(text) ? '' : '.'}`
}
