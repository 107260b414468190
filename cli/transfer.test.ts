import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createStage, type Stage } from './fixture.ts'
import { openRows } from './transfer/rows.ts'

let stage: Stage
before(async () => {
  stage = await createStage()
  put(
    'tendril.schema.ts',
    `export default { databases: { main: { collections: {
    posts: { attributes: {
      title: { type: 'STRING', size: 100, required: true },
      views: { type: 'INTEGER' },
      live: { type: 'BOOLEAN' },
      parent: { type: 'RELATION', to: 'posts', onDelete: 'SET_NULL' },
    } },
    copies: { attributes: { title: { type: 'STRING', size: 100 }, views: { type: 'INTEGER' }, live: { type: 'BOOLEAN' } } },
  } } } }`,
  )
  const push = await stage.tendril('schema', 'push')
  assert.equal(push.code, 0, push.err)
})
const servers: Server[] = []
after(async () => {
  for (const server of servers) server.close()
  await stage.close()
})

const pathOf = (name: string) => join(stage.folder, name)
const put = (name: string, text: string) => writeFileSync(pathOf(name), text)
const get = (name: string) => readFileSync(pathOf(name), 'utf8')
const clear = async () => {
  const { rows } = await stage.world.app.sql.query('select id from collections where "projectId" = $1', [
    stage.projectId,
  ])
  for (const { id } of rows) await stage.world.app.sql.query(`delete from "${stage.projectId}"."${id}"`)
}
const jsonLines = (rows: object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')
const rowsOf = async (collection = 'posts') => {
  const { out, code, err } = await stage.tendril('export', collection)
  assert.equal(code, 0, err)
  return out
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

test('JSON Lines go in and come out', async () => {
  put(
    'a.jsonl',
    jsonLines([
      { id: 'a', title: 'A', views: 1 },
      { id: 'b', title: 'B', parent: 'a' },
    ]),
  )
  const done = await stage.tendril('import', 'posts', 'a.jsonl')
  assert.equal(done.code, 0, done.err)
  assert.match(done.err, /^a\.jsonl: 2 rows created, 0 updated, 0 skipped \(2 rows, 100 %, [\d,]+ rows\/s\)\n$/)
  const exported = await stage.tendril('export', 'main.posts', '--out', 'b.jsonl', '--where', '{"views":{"gt":0}}')
  assert.match(exported.err, /^b\.jsonl: 1 row \(/)
  assert.equal(JSON.parse(get('b.jsonl')).title, 'A')
  const changed = await stage.tendril('import', 'posts', 'b.jsonl', '--on-duplicate', 'update')
  assert.match(changed.err, /0 rows created, 1 updated, 0 skipped/)
  const again = await stage.tendril('import', 'posts', 'a.jsonl', '--on-duplicate', 'skip')
  assert.match(again.err, /0 rows created, 0 updated, 2 skipped/)
})

test('CSV goes in and comes out: what is empty is null, what is quoted and empty is a text', async () => {
  await clear()
  put('a.csv', '\uFEFFid,title,views,live\r\na,"two\nlines, “quoted” ""so""",5,true\r\nb,"",,\r\n')
  const done = await stage.tendril('import', 'copies', 'a.csv', '--transaction')
  assert.equal(done.code, 0, done.err)
  const rows = await rowsOf('copies')
  assert.deepEqual(
    rows.map(({ id, title, views, live }) => [id, title, views, live]),
    [
      ['a', 'two\nlines, “quoted” "so"', 5, true],
      ['b', '', null, null],
    ],
  )
  const out = await stage.tendril('export', 'copies', '--out', 'b.csv')
  assert.equal(out.code, 0, out.err)
  await clear()
  const back = await stage.tendril('import', 'copies', 'b.csv')
  assert.equal(back.code, 0, back.err)
  assert.deepEqual(await rowsOf('copies'), rows)
})

test('CSV of no documents is the names of the fields', async () => {
  await clear()
  const header = 'id,createdAt,updatedAt,version,title,views,live,permissions\n'
  assert.equal((await stage.tendril('export', 'copies', '--format', 'csv')).out, header)
  const { err } = await stage.tendril('export', 'copies', '--out', 'none.csv', '--where', '{"views":{"gt":9}}')
  assert.match(err, /^none\.csv: 0 rows/)
  assert.equal(get('none.csv'), header)
  assert.equal((await stage.tendril('import', 'copies', 'none.csv')).code, 0)
})

test('a mistake is told with its line and field; what came before it stays, and it goes on behind that', async () => {
  await clear()
  const lines = Array.from({ length: 1234 }, (_, i) => `"row\n${i}",${i}`)
  const wrong = [...lines]
  wrong[700] = '"row\n700",many'
  put('c.csv', `title,views\n${wrong.join('\n')}\n`)
  const failed = await stage.tendril('import', 'posts', 'c.csv')
  assert.equal(failed.code, 1)
  // Each record takes two lines, behind that of the names.
  assert.match(
    failed.err,
    /tendril: c\.csv:1403: views: This is not a whole number.*\n700 rows of the file are imported\. --resume goes on/,
  )
  assert.equal((await rowsOf()).length, 700)
  put('c.csv', `title,views\n${lines.join('\n')}\n`)
  const done = await stage.tendril('import', 'posts', 'c.csv', '--resume')
  assert.match(done.err, /534 rows created/)
  assert.deepEqual(new Set((await rowsOf()).map(({ views }) => views)).size, 1234)
  assert.equal((await rowsOf()).length, 1234)
  assert.equal(existsSync(pathOf('c.csv.import.json')), false)
  assert.match((await stage.tendril('import', 'posts', 'c.csv', '--resume')).err, /There is nothing to resume/)
})

test('of two columns with one name neither is lost in silence', async () => {
  await clear()
  put('twice.csv', 'title,views,title\nA,1,B\n')
  const { code, err } = await stage.tendril('import', 'posts', 'twice.csv')
  assert.equal(code, 1)
  assert.match(err, /tendril: twice\.csv:1: Two columns are called “title”\./)
  assert.deepEqual(await rowsOf(), [])
})

test('CSV that is not UTF-8 is refused with its line, and no character is lost in silence', async () => {
  await clear()
  const row = (title: string) => `"${title}\n",1\n`
  const many = `title,views\n${row('Ärger 🌱'.repeat(9)).repeat(3_000)}`
  writeFileSync(pathOf('utf8.csv'), Buffer.from(`\ufeff${many}`))
  assert.equal((await stage.tendril('import', 'copies', 'utf8.csv')).code, 0)
  assert.deepEqual(new Set((await rowsOf('copies')).map(({ title }) => title)), new Set([`${'Ärger 🌱'.repeat(9)}\n`]))
  for (const [name, bytes] of Object.entries({
    'latin.csv': Buffer.concat([Buffer.from(many), Buffer.from(row('Ärger'), 'latin1'), Buffer.from(row('x'))]),
    'half.csv': Buffer.concat([Buffer.from(many), Buffer.from('Ä').subarray(0, 1)]),
  })) {
    writeFileSync(pathOf(name), bytes)
    const { code, err } = await stage.tendril('import', 'posts', name, '--transaction')
    assert.equal(code, 1)
    assert.match(err, new RegExp(`tendril: ${name}:6002: This is not UTF-8. Save the file in that encoding.`))
    assert.deepEqual(await rowsOf(), [])
  }
  writeFileSync(pathOf('utf16.csv'), Buffer.from('\ufefftitle,views\nA,1\n', 'utf16le'))
  assert.match((await stage.tendril('import', 'posts', 'utf16.csv')).err, /utf16\.csv:1: This is not UTF-8/)
})

test('lines of CSV may end in \\r alone, and the file is read as it is imported', async () => {
  const lines = (end: string) => `title,views${end}${`Ärger 🌱,1${end}`.repeat(100_000)}`
  for (const end of ['\r', '\r\n', '\n']) {
    writeFileSync(pathOf('ends.csv'), Buffer.concat([Buffer.from(lines(end)), Buffer.from(`Ä${end}`, 'latin1')]))
    const rows = openRows(pathOf('ends.csv'), 'csv', 0)
    let first: number | null = null
    const read = async () => {
      for await (const _ of rows.body) first ??= rows.bytes()
    }
    await assert.rejects(read, { code: 'CSV_NOT_UTF8', lines: 100_002 })
    assert.ok(first !== null && first <= 600_000, `${first}`)
  }
})

test('in a transaction nothing of a file that is wrong is imported', async () => {
  await clear()
  put('d.jsonl', `${jsonLines(Array.from({ length: 1500 }, () => ({ title: 'x' })))}{"title":5}\n`)
  const failed = await stage.tendril('import', 'posts', 'd.jsonl', '--transaction')
  assert.match(failed.err, /tendril: d\.jsonl:1501: title: .*\nNothing was imported\./)
  assert.deepEqual(await rowsOf(), [])
  put('e.csv', `title,views\n${'a,1\n'.repeat(1500)}a,1,2\n`)
  const short = await stage.tendril('import', 'posts', 'e.csv', '--transaction')
  assert.match(short.err, /e\.csv:1502: Invalid Record Length/)
  assert.deepEqual(await rowsOf(), [])
})

/** A way to the API that breaks once, after so many bytes that the API has answered. */
async function breaking(bytes: number): Promise<string> {
  let left = bytes
  const target = new URL(stage.api.url)
  const server = createServer((client: Socket) => {
    const upstream = connect(Number(target.port), target.hostname)
    const cut = () => {
      client.destroy()
      upstream.destroy()
    }
    const count = (chunk: Buffer) => {
      left -= chunk.length
      if (left <= 0) {
        left = Number.POSITIVE_INFINITY
        cut()
      }
    }
    upstream.on('data', count)
    client.on('error', cut).pipe(upstream).on('error', cut).pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  servers.push(server)
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('an import and an export whose connection breaks go on where they were, and nothing is there twice', async () => {
  await clear()
  put('big.jsonl', jsonLines(Array.from({ length: 20_000 }, (_, i) => ({ title: `${'x'.repeat(60)}${i}`, views: i }))))
  const env = { TENDRIL_URL: await breaking(900) }
  const broken = await stage.tendrilAs(env, 'import', 'copies', 'big.jsonl')
  assert.equal(broken.code, 1)
  assert.match(broken.err, /^Stopped \([1-9]/)
  assert.match(broken.err, /The connection broke.*\n.* rows of the file are imported\. --resume goes on behind them/)
  const resumed = await stage.tendrilAs(env, 'import', 'copies', 'big.jsonl', '--resume')
  assert.equal(resumed.code, 0, resumed.err)
  for (const out of ['big.out.jsonl', 'big.out.csv']) {
    const env = { TENDRIL_URL: await breaking(2_000_000) }
    const cut = await stage.tendrilAs(env, 'export', 'copies', '--out', out)
    assert.match(cut.err, /The connection broke.* rows are in big\.out.* --resume goes on behind them/)
    const rest = await stage.tendrilAs(env, 'export', 'copies', '--out', out, '--resume')
    assert.equal(rest.code, 0, rest.err)
  }
  const views = get('big.out.jsonl')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line).views)
  assert.equal(views.length, 20_000)
  assert.equal(new Set(views).size, 20_000)
  assert.equal(get('big.out.csv').trim().split('\n').length, 20_001)
})

test('what is mistyped is told', async () => {
  const errorOf = async (...args: string[]) => {
    const { code, err } = await stage.tendril(...args)
    assert.equal(code, 1)
    return err
  }
  assert.match(await errorOf('import', 'nothing', 'a.jsonl'), /There is no such collection/)
  assert.match(await errorOf('export', 'nothing'), /There is no such collection/)
  assert.match(await errorOf('export', 'posts', '--where', '{'), /This is not JSON/)
  assert.match(await errorOf('export', 'posts', '--where', '{"nothing":{"eq":1}}'), /nothing/)
  assert.match(await errorOf('import', 'posts', 'absent.csv'), /There is no file absent\.csv/)
  assert.match(await errorOf('import', 'posts', 'a.txt'), /Say what a\.txt is: --format/)
  assert.match(
    await errorOf('import', 'posts', 'a.csv', '--on-duplicate', 'what'),
    /--on-duplicate is one of fail, skip, update/,
  )
  assert.match(await errorOf('import', 'posts'), /Usage: tendril import COLLECTION FILE/)
  assert.match(await errorOf('export', 'posts', '--out', 'no/such/folder.csv'), /cannot be written/)
})
