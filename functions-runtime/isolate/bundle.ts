import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, resolve } from 'node:path'
import { type BuildOptions, build, type Plugin, transform } from 'esbuild'

/** Of the isolates that are made before anybody needs them: what most functions have. */
export const usualMemoryMb = 128

const require = createRequire(import.meta.url)

const at = (path: string) => resolve(import.meta.dirname, path)

/** What the web's parts share with what every context begins with: it is there already, and not made again. */
const core = ['bytes.ts', 'scope.ts']

/** A module of CommonJS costs a context nothing until it is required; of others esbuild declares every export at once. */
const lazily: Plugin = {
  name: 'lazily',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/web\.ts$/ }, ({ path, kind }) =>
      kind === 'entry-point' ? { path, namespace: 'lazily' } : undefined,
    )
    onResolve({ filter: /^\.\/\w+\.ts$/ }, ({ path, resolveDir }) => {
      const namespace = core.includes(basename(path)) ? 'core' : 'lazily'
      return { path: resolve(resolveDir, path), namespace }
    })
    onLoad({ filter: /.*/, namespace: 'core' }, () => ({ contents: 'module.exports = __core' }))
    onLoad({ filter: /.*/, namespace: 'lazily' }, async ({ path }) => {
      const text = await readFile(path, 'utf8')
      const { code } = await transform(text, { loader: 'ts', format: 'cjs', target: 'es2024' })
      // What a program has put on Object.prototype is no export.
      const module = code.replace('for (var name in all)', 'for (var name of Object.keys(all))')
      return { contents: module + namesOf(text), resolveDir: dirname(path) }
    })
  },
}

/** isolated-vm's own way to its binary loads half a dozen parts of Node, in each process that is started: 5 ms. */
const native: Plugin = {
  name: 'native',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^isolated-vm$/ }, ({ path }) => ({ path, namespace: 'native' }))
    onLoad({ filter: /.*/, namespace: 'native' }, () => {
      const main = require.resolve('isolated-vm')
      const file: string = createRequire(main)('node-gyp-build').resolve(dirname(main))
      return { contents: `module.exports = require(${JSON.stringify(file)}).ivm` }
    })
  },
}

/** Classes keep their names, however small the text is made: programs read them. */
function namesOf(text: string): string {
  const classes = [...text.matchAll(/^export class (\w+)/gm)].map(([, name]) => name)
  return classes.map((name) => `\nObject.defineProperty(${name}, 'name', { value: '${name}' })`).join('')
}

/** The text of a sandbox process, with what every context begins with inside. Made once, when the executor starts. */
export async function bundleSandbox(): Promise<string> {
  const inContext: BuildOptions = { format: 'iife', minify: true, target: 'es2024' }
  const web = await bundle('guest/web.ts', { ...inContext, globalName: '__parts', plugins: [lazily] })
  const guest = await bundle('guest/main.ts', { ...inContext, globalName: '__boot' })
  const bootstrap = `(()=>{"use strict";const __web=(__core)=>{${web};return __parts.parts};${guest};return __boot.boot()})()`
  return bundle('sandbox/main.ts', {
    format: 'cjs',
    platform: 'node',
    external: ['*.node'],
    plugins: [native],
    define: { __BOOTSTRAP__: JSON.stringify(bootstrap), __USUAL_MEMORY_MB__: String(usualMemoryMb) },
  })
}

async function bundle(entry: string, options: BuildOptions): Promise<string> {
  const made = await build({ entryPoints: [at(entry)], bundle: true, write: false, logLevel: 'silent', ...options })
  const [file] = made.outputFiles ?? []
  if (!file) throw new Error(`${entry} could not be bundled.`)
  return file.text
}
