import { Invalid } from '../errors.ts'
import { textVector } from '../modules/collections/table-indexes.ts'
import type { Operator, Subject, Typed } from './operator.ts'
import { requireLiteral, whenGiven } from './slots.ts'
import { parseText } from './texts.ts'

/** Most characters of the words that are searched for. */
export const wordsLimit = 1_000

/** The languages whose words PostgreSQL knows to reduce to their stems; `simple` takes words as they are. */
export const languages =
  'simple arabic armenian basque catalan danish dutch english finnish french german greek hindi hungarian indonesian irish italian lithuanian nepali norwegian portuguese romanian russian serbian spanish swedish tamil turkish yiddish'.split(
    ' ',
  )

export type Search = { words: unknown; language: string }

/** `words` as people type them into a search box: `cat -dog "big cat" or lion`. */
export function parseSearch(
  column: Typed,
  words: unknown,
  language: unknown,
  at: readonly string[],
  key = 'words',
): Search {
  return {
    words: whenGiven(words, (given) => {
      const text = parseText(given, [...at, key])
      if (text.length > wordsLimit) throw new Invalid(`These are at most ${wordsLimit} characters.`, [...at, key])
      return text
    }),
    language: languageOf(column, requireLiteral(language), at),
  }
}

/** That of the attribute's full-text index, if none is named: only this one's words are in the index. */
function languageOf(column: Typed, given: unknown, at: readonly string[]): string {
  if (given == null) return column.language ?? 'simple'
  const language = String(given)
  if (languages.includes(language)) return language
  throw new Invalid('This is no language that is known.', [...at, 'language'])
}

/** The words of a text, and those that are looked for in it. */
export function searchSql({ param, name }: Pick<Subject, 'param' | 'name'>, { words, language }: Search) {
  return {
    vector: textVector(name, language),
    query: `websearch_to_tsquery('${language}'::regconfig, ${param(words, 'text')})`,
  }
}

export const search: Operator = {
  parse: (column, value, at) => {
    const { words, language } = requireLiteral(value) as { words: unknown; language?: unknown }
    return parseSearch(column, words, language, at)
  },
  sql: (subject, operand) => {
    const { vector, query } = searchSql(subject, operand as Search)
    return `${vector} @@ ${query}`
  },
}
