const width = 120

/** A file whose default export is `value`, in the way that formatters write it. */
export function printFile(value: unknown, type: string, from: string): string {
  const text = print(value, 0, 'export default '.length + ` satisfies ${type}`.length)
  return `import type { ${type} } from '${from}'\n\nexport default ${text} satisfies ${type}\n`
}

/** A value at this depth of indentation, on one line where it fits: `beside` characters stand beside it there. */
function print(value: unknown, depth: number, beside: number): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const isList = Array.isArray(value)
  const line = (indent: number, name: string, item: unknown) => {
    const head = isList ? '' : `${name}: `
    return head + print(item, indent, head.length + 1)
  }
  const entries = Object.entries(value).map(([name, item]) => [propertyName(name), item] as const)
  const [open, close] = isList ? ['[', ']'] : ['{', '}']
  if (entries.length === 0) return open + close
  const inline = entries.map(([name, item]) => line(depth, name, item))
  const pad = isList ? '' : ' '
  const short = `${open}${pad}${inline.join(', ')}${pad}${close}`
  // Biome keeps an object on several lines where it was written so: only what holds no other object is on one.
  const isFlat =
    isList || Object.values(value).every((item) => typeof item !== 'object' || item === null || Array.isArray(item))
  if (isFlat && !short.includes('\n') && depth * 2 + beside + short.length <= width) return short
  const inner = entries.map(([name, item]) => `${'  '.repeat(depth + 1)}${line(depth + 1, name, item)},\n`)
  return `${open}\n${inner.join('')}${'  '.repeat(depth)}${close}`
}

function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quote(name)
}

/** With the quotes that need fewer escapes, as formatters do it. */
function quote(text: string): string {
  const json = JSON.stringify(text)
  const inner = json.slice(1, -1)
  const singles = text.split("'").length
  const doubles = text.split('"').length
  if (singles > doubles) return json
  return `'${inner.replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}
