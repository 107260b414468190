/** What is run: the code of functions as a build leaves it, and their rows. */
import { hash } from 'node:crypto'
import { asSystem } from '../../src/context.ts'
import { makeFunction } from '../../src/testing/functions.ts'
import type { World } from '../../src/testing/world.ts'

export type Made = { projectId: string; functionId: string; deploymentId: string; code: string; artefact: string }

/** 2,000 small functions, as dependencies are: about 70 KB, of which a run uses little. Each bundle is another. */
export function bundle(name: string): string {
  const ballast = Array.from({ length: 2_000 }, (_, i) => `function f${i}(a) { return a + ${i}; }`).join('\n')
  return `var __function = (() => { /* ${name} */
${ballast}
return { default: async ({ req, res }) => res.json({ sum: f1(1) + f1999(2), method: req.method }) };
})();`
}

/** Code that takes its process with it, or is stopped by force. */
export const killers = [
  `'x'.repeat(2 ** 28).split('')`,
  'Array(1e9).fill(0)',
  'while (true) {}',
  `JSON.parse('['.repeat(5e6))`,
  'const a = []; while (true) a.push(new Array(1000).fill(1.1))',
].map((line) => `var __function = { default: async ({ res }) => { ${line}; return res.text('survived') } };`)

export const artefactOf = (code: string): string => hash('sha256', Buffer.from(code), 'hex')

/** A function of a project, with its code in place. */
export async function make({ app }: World, projectId: string, name: string): Promise<Made> {
  const code = bundle(`${projectId} ${name}`)
  const ctx = asSystem(app, 'bench', projectId)
  const { id } = await makeFunction(ctx, code, { name })
  const { deploymentId } = await app.db.function.findUniqueOrThrow({ where: { id } })
  return { projectId, functionId: id, deploymentId: deploymentId ?? '', code, artefact: artefactOf(code) }
}
