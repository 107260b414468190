/** Holds the import rules of `.dependency-cruiser.ts`. */
import { join } from 'node:path'
import { cruise } from 'dependency-cruiser'
import rules from '../../.dependency-cruiser.ts'

export const root = join(import.meta.dirname, '../..')
export const folders = ['schema', 'src', 'workers', 'functions-runtime', 'prisma', 'examples', 'bench', 'cli']

/** How many modules the tree below `baseDir` has, and a line for each import that breaks a rule. */
export async function checkImports(baseDir: string): Promise<{ modules: number; violations: string[] }> {
  const { output } = await cruise(folders, {
    ...rules.options,
    baseDir,
    ruleSet: { forbidden: rules.forbidden },
    validate: true,
  })
  if (typeof output === 'string') throw new Error(output)
  const modules = output.modules.filter(({ source }) => folders.some((folder) => source.startsWith(`${folder}/`)))
  const violations = output.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)
  return { modules: modules.length, violations }
}

if (import.meta.main) {
  const { modules, violations } = await checkImports(root)
  // With a parser that does not know TypeScript the tool sees nothing, and finds nothing wrong with it.
  if (modules < 80) violations.push(`Only ${modules} modules were seen.`)
  process.stdout.write(violations.map((line) => `${line}\n`).join(''))
  process.exit(violations.length === 0 ? 0 : 1)
}
