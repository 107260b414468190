import { Invalid } from '../errors.ts'
import { mapOperand, negated, type Operator, present } from './operator.ts'
import type { Pattern } from './patterns.ts'
import { search } from './search.ts'
import { whenGiven } from './slots.ts'
import { parseText } from './texts.ts'

/** Most characters of a regular expression. */
export const patternLimit = 1_000

/** Where in a text another one has to be: as a pattern of LIKE, and as JavaScript tells it. */
type Place = { pattern: (escaped: string) => string; holds: (text: string, part: string) => boolean }

const places = {
  anywhere: { pattern: (part) => `%${part}%`, holds: (text, part) => text.includes(part) },
  first: { pattern: (part) => `${part}%`, holds: (text, part) => text.startsWith(part) },
  last: { pattern: (part) => `%${part}`, holds: (text, part) => text.endsWith(part) },
  whole: { pattern: (part) => part, holds: (text, part) => text === part },
} satisfies Record<string, Place>

/** Any text: that of an attribute of type EMAIL or URL need not be a whole one. */
const parse: Operator['parse'] = (_column, value, at) => whenGiven(value, (given) => parseText(given, at))

/** A pattern of LIKE that means the text itself. */
function escaped(text: unknown): string {
  return String(text).replace(/[\\%_]/g, '\\$&')
}

/** LIKE can use trigram indexes, and, where the beginning is known, ordinary ones. */
function exact({ pattern, holds }: Place): Operator {
  return {
    parse,
    sql: ({ param, name }, part) => `${name} like ${param(likeOf(part, pattern), 'text')}`,
    matches: present((value, part) => holds(String(value), String(part))),
  }
}

const likeOf = (part: unknown, pattern: Place['pattern']) => mapOperand(part, (text) => pattern(escaped(text)))

/**
 * Letters that are the same but for their case. Columns are collated "C", where only the letters of ASCII have two cases:
 * with the others left open, a trigram index finds candidates, and among those all letters count.
 */
function caseless({ pattern, holds }: Place): Operator {
  return {
    parse,
    sql: ({ param, name }, part) => {
      const candidates = mapOperand(part, (text) => pattern(escaped(text).replace(/[^\0-\x7f]+/g, '%')))
      const all = `${plain(name)} ilike ${plain(param(likeOf(part, pattern), 'text'))} collate "und-x-icu"`
      return `${name} ilike ${param(candidates, 'text')} and ${all}`
    },
    matches: present((value, part) => holds(folded(value), folded(part))),
  }
}

// Two letters outside ASCII are letters of ASCII when small: they are no case of those here.
const odd = '\u212a\u0130'
const apart = '\ue000\ue001'

function plain(sql: string): string {
  return `translate(${sql}, '${odd}', '${apart}')`
}

function folded(text: unknown): string {
  return String(text).replaceAll('\u212a', '\ue000').replaceAll('\u0130', '\ue001').toLowerCase()
}

/** Regular expressions are PostgreSQL's own: what is none is found out by it, and told by `invalidPattern`. */
const regex: Operator = {
  parse: (_column, value, at): Pattern => {
    const pattern = whenGiven(value, (given) => {
      const text = parseText(given, at)
      if (text.length > patternLimit) throw new Invalid(`A pattern has at most ${patternLimit} characters.`, at)
      return text
    })
    return { pattern, at }
  },
  sql: ({ param, name }, operand) => `${name} ~ ${param((operand as Pattern).pattern, 'text')}`,
}

const contains = exact(places.anywhere)
const startsWith = exact(places.first)
const endsWith = exact(places.last)

export const textOperators = {
  contains,
  notContains: negated(contains),
  startsWith,
  notStartsWith: negated(startsWith),
  endsWith,
  notEndsWith: negated(endsWith),
  ieq: caseless(places.whole),
  icontains: caseless(places.anywhere),
  istartsWith: caseless(places.first),
  iendsWith: caseless(places.last),
  regex,
  search,
}
