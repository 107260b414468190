import { resolve } from 'node:path'
import { build } from 'esbuild'

/** Of the isolates that are made before anybody needs them: what most functions have. */
export const usualMemoryMb = 128

const at = (path: string) => resolve(import.meta.dirname, path)

/** The text of a sandbox process, with what every context begins with inside. Made once, when the executor starts. */
export async function bundleSandbox(): Promise<string> {
  const guest = await bundle('guest/main.ts', { globalName: '__boot', minify: true, target: 'es2024' })
  const bootstrap = `(()=>{${guest};return __boot.boot()})()`
  return bundle('sandbox/main.ts', {
    platform: 'node',
    external: ['isolated-vm'],
    define: { __BOOTSTRAP__: JSON.stringify(bootstrap), __USUAL_MEMORY_MB__: String(usualMemoryMb) },
  })
}

async function bundle(entry: string, options: Parameters<typeof build>[0]): Promise<string> {
  const format = options.platform === 'node' ? 'cjs' : 'iife'
  const made = await build({
    entryPoints: [at(entry)],
    bundle: true,
    format,
    write: false,
    logLevel: 'silent',
    ...options,
  })
  const [file] = made.outputFiles ?? []
  if (!file) throw new Error(`${entry} could not be bundled.`)
  return file.text
}
