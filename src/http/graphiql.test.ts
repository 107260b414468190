import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { type Browser, chromium, type Page } from 'playwright-core'
import { createFixture, type Fixture } from '../testing/server.ts'

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const skip = existsSync(executablePath) ? false : `there is no ${executablePath}`

let fixture: Fixture
let browser: Browser
before(async () => {
  if (skip) return
  fixture = await createFixture()
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
})
after(async () => {
  await browser?.close()
  await fixture?.close()
})

/** Opens GraphiQL, and notes what it asks of anybody but us and what it complains about. */
async function open(path: string): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage()
  const complaints: string[] = []
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.route('**/*', (route) => {
    const url = route.request().url()
    if (url.startsWith(fixture.api.url) || url.startsWith('data:') || url.startsWith('blob:')) return route.continue()
    complaints.push(`asked ${url}`)
    return route.abort()
  })
  await page.goto(fixture.api.url + path)
  await page.waitForSelector('.graphiql-query-editor .view-line')
  return { page, complaints }
}

async function run(page: Page, editor: string, text: string): Promise<void> {
  await page.locator(`${editor} .view-lines`).filter({ visible: true }).click()
  await page.waitForTimeout(300)
  await page.keyboard.press('ControlOrMeta+A')
  await page.keyboard.press('Delete')
  await page.waitForTimeout(300)
  await page.keyboard.insertText(text)
}

async function result(page: Page, expected: RegExp): Promise<void> {
  let text = ''
  for (let i = 0; i < 100; i += 1) {
    text = ((await page.textContent('.graphiql-response')) ?? '').replaceAll('\u00a0', ' ')
    if (expected.test(text)) return
    await page.waitForTimeout(100)
  }
  assert.match(text, expected)
}

test('GraphiQL works offline: a query with headers, then a subscription', { skip }, async () => {
  const { page, complaints } = await open(`/projects/${fixture.projectId}/graphql`)
  assert.match((await page.textContent('.graphiql-query-editor')) ?? '', /API/)
  await run(page, '.graphiql-query-editor', 'query Me { me }')
  await page.click('.graphiql-execute-button')
  await result(page, /"me": "guest"/)
  await run(page, '.graphiql-editor-tool', `{ "authorization": "${fixture.authorization}" }`)
  await page.click('.graphiql-execute-button')
  await result(page, /"me": "key key_test"/)
  await run(page, '.graphiql-query-editor', 'subscription Ticks { ticks(count: 3) { n } }')
  await page.click('.graphiql-execute-button')
  await result(page, /"n": 3/)
  assert.equal(new URL(page.url()).search, '')
  const stored = await page.evaluate('JSON.stringify(localStorage)')
  assert.doesNotMatch(String(stored), /key_/)
  assert.deepEqual(complaints, [])
  if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT })
  await page.close()
})

test('each API keeps its own tabs', { skip }, async () => {
  const { page, complaints } = await open('/graphql')
  assert.match((await page.textContent('.graphiql-query-editor')) ?? '', /Welcome/)
  assert.deepEqual(complaints, [])
  if (process.env.SCREENSHOT) await page.screenshot({ path: `${process.env.SCREENSHOT}.console.png` })
  await page.close()
})
