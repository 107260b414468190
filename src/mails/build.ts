/** Compiles the mails: `node src/mails/build.ts`. With `--check` it fails when the committed result is not current. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import mjml2html from 'mjml'

const folder = import.meta.dirname
const target = join(folder, 'generated/templates.ts')

/** The text of `generated/templates.ts` as the sources ask for it. */
export async function compileMails(): Promise<string> {
  const names = readdirSync(folder)
    .filter((file) => file.endsWith('.mjml'))
    .map((file) => basename(file, '.mjml'))
    .sort()
  const entries = await Promise.all(names.map(async (name) => [name, await compileMail(name)] as const))
  const templates = JSON.stringify(Object.fromEntries(entries), null, 2)
  return `// Made by src/mails/build.ts from the .mjml and .txt files. Do not edit.\nexport const templates = ${templates} as const\n`
}

async function compileMail(name: string) {
  const source = readFileSync(join(folder, `${name}.mjml`), 'utf8')
  // No fonts of others: whoever opens a mail would tell them.
  const { html, errors } = await mjml2html(source, { validationLevel: 'strict', filePath: folder, fonts: {} })
  if (errors.length > 0) throw new Error(`${name}.mjml: ${errors.map((error) => error.formattedMessage).join('\n')}`)
  const subject = /<mj-title>(.*)<\/mj-title>/.exec(source)?.[1]
  if (!subject) throw new Error(`${name}.mjml has no mj-title: it is the subject.`)
  return { subject, html, text: readFileSync(join(folder, `${name}.txt`), 'utf8') }
}

if (import.meta.main) {
  const compiled = await compileMails()
  if (!process.argv.includes('--check')) writeFileSync(target, compiled)
  else if (readFileSync(target, 'utf8') !== compiled) {
    process.stderr.write('The compiled mails are not current: run `node src/mails/build.ts`.\n')
    process.exit(1)
  }
}
