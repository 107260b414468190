import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { consoleProjectId } from '../context.ts'
import { welcomes } from './welcome.ts'

/**
 * GraphiQL, served from here: a network that refuses content delivery networks has it, too. Its files are some 9 MB, so they
 * are read when somebody first asks, kept compressed, and cached by browsers.
 */
export function createGraphiql() {
  const files = new Map<string, Promise<Buffer>>()
  const read = (name: string) => {
    const known = files.get(name) ?? load(name)
    files.set(name, known)
    return known
  }
  return {
    writePage: (res: ServerResponse, projectId: string) => {
      res.setHeader('content-security-policy', policy)
      res.setHeader('content-type', 'text/html; charset=utf-8')
      res.end(page(projectId))
    },
    /** Writes one of the page's files. False when there is none of that name. */
    writeFile: async (req: IncomingMessage, res: ServerResponse, path: string): Promise<boolean> => {
      const name = path.slice('/graphiql/'.length)
      const type = types[name]
      if (!type) return false
      const body = await read(name)
      res.setHeader('content-type', type)
      res.setHeader('cache-control', 'public, max-age=86400')
      res.setHeader('content-encoding', 'gzip')
      res.end(req.method === 'HEAD' ? undefined : body)
      return true
    },
  }
}

const script = 'text/javascript; charset=utf-8'

const types: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  'start.js': script,
  'graphiql.js': script,
  'graphiql.css': 'text/css; charset=utf-8',
  'editor.worker.js': script,
  'graphql.worker.js': script,
  'json.worker.js': script,
})

async function load(name: string): Promise<Buffer> {
  const { js, css, editorWorkerService, graphqlWorker, jsonWorker } = await import(
    '@graphql-yoga/render-graphiql/graphiql'
  )
  const texts: Record<string, string> = {
    'start.js': start,
    'graphiql.js': js,
    'graphiql.css': css,
    'editor.worker.js': editorWorkerService,
    'graphql.worker.js': graphqlWorker,
    'json.worker.js': jsonWorker,
  }
  return promisify(gzip)(texts[name] ?? '')
}

/** Only our own scripts, nothing inline; GraphiQL's editor sets styles as it goes. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self' blob:",
  "style-src 'self' 'unsafe-inline'",
  "font-src 'self' data:",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

function page(projectId: string): string {
  const title = projectId === consoleProjectId ? 'Tendril' : `Tendril: ${projectId}`
  const settings = JSON.stringify({
    title,
    defaultTabs: projectId === consoleProjectId ? welcomes.console : welcomes.project,
    subscriptionsProtocol: 'SSE',
    shouldPersistHeaders: false,
    defaultEditorToolsVisibility: 'headers',
    schemaDescription: true,
  }).replaceAll('<', '\\u003c')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/graphiql/graphiql.css">
</head>
<body id="body" class="no-focus-outline">
<noscript>This page needs JavaScript. The API does not: send POST with application/json to this URL.</noscript>
<div id="root">Loading GraphiQL …</div>
<script type="application/json" id="settings">${settings}</script>
<script src="/graphiql/graphiql.js"></script>
<script src="/graphiql/start.js"></script>
</body>
</html>
`
}

/**
 * Runs in the browser. Each API keeps its own tabs, no operation is written into the URL (it may hold a password), and
 * an empty authorization header is not sent.
 */
const start = `'use strict'
const settings = JSON.parse(document.getElementById('settings').textContent)
const workers = { editorWorkerService: 'editor', json: 'json', graphql: 'graphql' }
self.MonacoEnvironment = {
  globalAPI: false,
  getWorkerUrl: (_id, label) => '/graphiql/' + (workers[label] || 'editor') + '.worker.js',
}
const prefix = location.pathname + ':'
const storage = {
  get length() { return localStorage.length },
  getItem: (key) => localStorage.getItem(prefix + key),
  setItem: (key, value) => localStorage.setItem(prefix + key, value),
  removeItem: (key) => localStorage.removeItem(prefix + key),
  clear: () => Object.keys(localStorage).filter((key) => key.startsWith(prefix)).forEach((key) => localStorage.removeItem(key)),
}
const send = window.fetch.bind(window)
window.fetch = (url, init) => {
  const headers = new Headers(init && init.headers)
  if (headers.get('authorization') === '') headers.delete('authorization')
  return send(url, { ...init, headers })
}
YogaGraphiQL.renderYogaGraphiQL(document.getElementById('root'), { ...settings, storage, onEditQuery: () => {} })
`
