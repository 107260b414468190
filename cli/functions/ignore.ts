/** Whether a path is left out: `path` seen from the folder of the rules, with `/` between names. */
export type Rules = (path: string, isFolder: boolean) => boolean | null

/** The rules of a .gitignore: what the last one that fits says, null where none does. */
export function readRules(text: string): Rules {
  const rules = text.split(/\r?\n/).flatMap((line) => readRule(line) ?? [])
  return (path, isFolder) => {
    const last = rules.findLast(({ fits, foldersOnly }) => (isFolder || !foldersOnly) && fits.test(path))
    return last ? !last.isTakenBack : null
  }
}

function readRule(line: string): { fits: RegExp; foldersOnly: boolean; isTakenBack: boolean } | null {
  const given = line.replace(/(?<!\\)\s+$/, '')
  if (given === '' || given.startsWith('#')) return null
  const isTakenBack = given.startsWith('!')
  const pattern = isTakenBack ? given.slice(1) : given.replace(/^\\(?=[!#])/, '')
  const foldersOnly = pattern.endsWith('/')
  const path = foldersOnly ? pattern.slice(0, -1) : pattern
  // With a slash in it a pattern begins where its file is; without one it is the name of anything below.
  const isAnchored = path.includes('/')
  const source = patternOf(path.replace(/^\//, ''))
  return { fits: new RegExp(`^${isAnchored ? '' : '(?:.*/)?'}${source}$`), foldersOnly, isTakenBack }
}

function patternOf(path: string): string {
  const tokens = path.match(/\*\*\/|\/\*\*$|\*+|\?|\[!?[^\]]+\]|\\.|[^\\]/g) ?? []
  return tokens
    .map((token) => {
      if (token === '**/') return '(?:.*/)?'
      if (token === '/**') return '/.+'
      if (token.startsWith('*')) return '[^/]*'
      if (token === '?') return '[^/]'
      if (token.length > 2 && token.startsWith('['))
        return `[${token
          .slice(1, -1)
          .replace(/^!/, '^')
          .replace(/[\\[\]]/g, '\\$&')}]`
      return (token.startsWith('\\') ? token.slice(1) : token).replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
    })
    .join('')
}
