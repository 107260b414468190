import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Invalid } from '../errors.ts'
import { openThings, type Things } from '../testing/things.ts'
import { parsePage } from './page.ts'

let stage: Things

before(async () => {
  stage = await openThings(
    {
      text: { type: 'STRING' },
      number: { type: 'INTEGER' },
      moment: { type: 'DATETIME' },
      place: { type: 'POINT' },
      words: { type: 'TEXT' },
      friend: { type: 'RELATION', to: 'things' },
    },
    [],
    { search: { type: 'FULLTEXT', attributes: ['words'], language: 'english' } },
  )
})
after(() => stage.world.close())

const refused = (args: Record<string, unknown>, path: string) => {
  assert.throws(
    () => parsePage(stage.model, stage.things, args, ['list']),
    (error) => error instanceof Invalid && String(error.details.path) === path.replaceAll('.', ','),
  )
}

test('what a page cannot be is refused, with its path', () => {
  refused({ first: 1, last: 1 }, 'list.last')
  refused({ first: 101 }, 'list.first')
  refused({ last: -1 }, 'list.last')
  refused({ last: 1, offset: 1 }, 'list.offset')
  refused({ offset: 1e9 }, 'list.offset')
  refused({ orderBy: [{}] }, 'list.orderBy.0')
  refused({ orderBy: [{ text: 'ASC', number: 'ASC' }] }, 'list.orderBy.0')
  refused({ orderBy: [{ text: null }] }, 'list.orderBy.0.text')
  refused({ orderBy: [{ friend: {} }] }, 'list.orderBy.0.friend')
  refused({ orderBy: [{ friend: 'ASC' }] }, 'list.orderBy.0.friend')
  refused({ orderBy: [{ friend: { place: { near: 'here' } } }] }, 'list.orderBy.0.friend.place.near')
  refused({ orderBy: [{ place: { near: 'here' } }] }, 'list.orderBy.0.place.near')
  refused({ orderBy: [{ textRank: { search: 'x' } }] }, 'list.orderBy.0.textRank')
  refused({ orderBy: [{ wordsRank: { search: 'x'.repeat(1001) } }] }, 'list.orderBy.0.wordsRank.search')
  refused({ orderBy: Array(9).fill({ text: 'ASC' }) }, 'list.orderBy')
  refused({ shuffle: 0.5 }, 'list.shuffle')
})

test('a cursor is good for the order it was given in, and nothing else is one', () => {
  const cursor = Buffer.from(JSON.stringify(['text ASC,id ASC', 'x', 'a'])).toString('base64url')
  parsePage(stage.model, stage.things, { orderBy: [{ text: 'ASC' }], after: cursor }, [])
  refused({ after: cursor }, 'list.after')
  refused({ orderBy: [{ text: 'DESC' }], before: cursor }, 'list.before')
  const forged = [
    ['id ASC'],
    ['id ASC', null],
    ['id ASC', 1],
    ['id ASC', 'a\0'],
    ['id ASC', 'a', 'b'],
    {},
    'x',
    null,
  ].map((value) => Buffer.from(JSON.stringify(value)).toString('base64url'))
  for (const after of ['', 'x', "' or 1=1", ...forged]) refused({ after }, 'list.after')
  const moment = Buffer.from(JSON.stringify(['moment ASC,id ASC', 'yesterday', 'a'])).toString('base64url')
  refused({ orderBy: [{ moment: 'ASC' }], after: moment }, 'list.after')
})
