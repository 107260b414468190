/**
 * The planted bug `plain-options`: options for isolated-vm that have a prototype, as anybody would write them, for strings,
 * which are copied anyway. It is put in
 * while `isolate/bundle.ts` is loaded, and only where Node is told to `--import` this file.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const right = 'return Object.freeze(Object.assign(Object.create(null), properties))'
const guest = resolve(import.meta.dirname, '../isolate/guest')
const copy = mkdtempSync(join(tmpdir(), 'tendril-plain-options-'))
process.once('exit', () => rmSync(copy, { recursive: true, force: true }))

function replaceOnce(text: string, from: string, to: string): string {
  if (text.split(from).length !== 2) throw new Error(`The planted bug does not fit: “${from}”`)
  return text.replace(from, () => to)
}

cpSync(guest, copy, { recursive: true })
const channel = join(copy, 'channel.ts')
const plain = replaceOnce(readFileSync(channel, 'utf8'), right, 'return { ...properties }')
writeFileSync(
  channel,
  replaceOnce(
    plain,
    '{ arguments: bare({ copy: true }), result: bare({ copy: true }) }',
    '{ arguments: {}, result: {} }',
  ),
)

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context)
    if (!url.endsWith('/functions-runtime/isolate/bundle.ts')) return loaded
    const source = replaceOnce(String(loaded.source), "'guest/main.ts'", JSON.stringify(join(copy, 'main.ts')))
    return { ...loaded, source }
  },
})
