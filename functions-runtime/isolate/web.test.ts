import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bothWays } from '../testing/both-ways.ts'
import { program } from '../testing/executor.ts'
import { caller } from '../testing/stage.ts'

const same: Record<string, readonly string[]> = {
  URL: [
    'new URL("https://u:p@example.com:8080/a/../b?x=1#h").href',
    '(() => { const u = new URL("../c?d=é", "https://example.com/a/b/"); return [u.href, u.host, u.pathname, u.search, u.origin] })()',
    '(() => { const u = new URL("http://a.b/"); u.searchParams.set("k", "v w"); u.hash = "x"; u.port = "81"; u.pathname = "/p q"; return u.href })()',
    'new URL("nonsense")',
    '[URL.canParse("x:y"), URL.canParse("y"), URL.parse("y")]',
    'new URL("http://0x7f.1/").hostname',
    '[...new URLSearchParams("a=1&b=%C3%A9+x&a=2&c")]',
    '(() => { const p = new URLSearchParams({ b: "2 +", a: "é*()~!\'" }); p.append("a", "3"); p.sort(); return [p.toString(), p.getAll("a"), p.has("b", "x"), p.size] })()',
    "[...new URLSearchParams('a=%E9&b=%zz%C3%A9&c=100%&d=%C3')]",
    "[...new URLSearchParams('?a=1&&=x&b')]",
    "[...new URLSearchParams('??a=1')]",
    'new URLSearchParams(null).toString()',
    "new URLSearchParams([['a']]).toString()",
    'new URLSearchParams({a:undefined,b:null}).toString()',
    "(() => { const u = new URL('https://a.b/?x=1'); const p = u.searchParams; u.search = '?y=2'; return [p.get('y'), p === u.searchParams] })()",
    "(() => { const u = new URL('https://a.b/?x=1'); u.searchParams.delete('x'); return u.href })()",
  ],
  tags: [
    'Response.name + Request.name + URL.name + FormData.name + ReadableStream.name + Blob.name + AbortSignal.name',
    'new DOMException("x").constructor.name + new File([], "a").constructor.name',
    "Object.prototype.toString.call(new URL('https://a.b'))",
    'Object.prototype.toString.call(new Headers())',
    'Object.prototype.toString.call(new URLSearchParams())',
    "Object.prototype.toString.call(new Request('https://a.b'))",
    'Object.prototype.toString.call(new Response())',
    'Object.prototype.toString.call(new FormData())',
    'Object.prototype.toString.call(new Blob())',
    "Object.prototype.toString.call(new File([], 'x'))",
    'Object.prototype.toString.call(new AbortController().signal)',
    'Object.prototype.toString.call(new ReadableStream())',
    'Object.prototype.toString.call(crypto)',
    'Object.prototype.toString.call(crypto.subtle)',
    "Object.prototype.toString.call(await crypto.subtle.importKey('raw', new Uint8Array(16), 'AES-GCM', false, ['encrypt']))",
  ],
  text: [
    '[...new TextEncoder().encode("a€😀\\ud800")]',
    'new TextDecoder().decode(new Uint8Array([97, 226, 130, 172, 255]))',
    'new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([255]))',
    '(() => { const d = new TextDecoder(); return [[226], [130, 172, 240], [159, 152, 128]].map((b) => d.decode(new Uint8Array(b), { stream: true })).concat(d.decode()) })()',
    'new TextDecoder("latin1").decode(new Uint8Array([233]))',
    '[btoa("hi\\xff"), atob("aGn/"), atob(" aG k= ").length]',
    'btoa("€")',
    'atob("***")',
    'new TextEncoder().encode("x".repeat(1000) + "é").length',
    "new TextDecoder('latin1').encoding",
    "new TextDecoder('utf8').encoding",
    "new TextDecoder('UTF-16').encoding",
    "new TextDecoder(' ascii ').encoding",
    "new TextDecoder('sjis').encoding",
    "new TextDecoder('nope')",
    "new TextDecoder('shift_jis').decode(new Uint8Array([0x83, 0x65, 0x83, 0x58]))",
    "new TextDecoder('gb18030').decode(new Uint8Array([0xc4, 0xe3, 0xba, 0xc3]))",
    "new TextDecoder('utf-16le').decode(new Uint8Array([0x61, 0, 0xe9, 0]))",
    "new TextDecoder('utf-16be').decode(new Uint8Array([0, 0x61, 0, 0xe9]))",
    "new TextDecoder('windows-1251').decode(new Uint8Array([0xcf, 0xf0]))",
    "new TextDecoder('iso-8859-2').decode(new Uint8Array([0xb1]))",
    "(() => { const d = new TextDecoder('utf-16le'); return [[0x61], [0, 0x3d, 0xd8], [0x00, 0xde]].map((b) => d.decode(new Uint8Array(b), { stream: true })).concat(d.decode()) })()",
    "(() => { const d = new TextDecoder('shift_jis'); return [[0x83], [0x65, 0x83], [0x58]].map((b) => d.decode(new Uint8Array(b), { stream: true })).concat(d.decode()) })()",
    "(() => { const d = new TextDecoder('gb18030'); return [[0x81, 0x30], [0x81], [0x30, 0xc4], [0xe3]].map((b) => d.decode(new Uint8Array(b), { stream: true })).concat(d.decode()) })()",
    '(() => { const d = new TextDecoder(); return [[0xef, 0xbb, 0xbf, 0x61], [0xef, 0xbb, 0xbf, 0x62]].map((b) => d.decode(new Uint8Array(b), { stream: true })).concat(d.decode()) })()',
    '(() => { const d = new TextDecoder(); return [[0xef], [0xbb, 0xbf, 0x62]].map((b) => d.decode(new Uint8Array(b), { stream: true })).concat(d.decode()) })()',
    "new TextDecoder('utf-8', { ignoreBOM: true }).decode(new Uint8Array([0xef, 0xbb, 0xbf, 0x61])).length",
    'new TextDecoder().decode(new Uint8Array([0xe2, 0x82]))',
    'new TextDecoder().decode(undefined)',
    "new TextDecoder().decode(Uint8Array.from(atob(btoa(unescape(encodeURIComponent('üñ€😀')))), (c) => c.charCodeAt(0)))",
  ],
  'what packages look for': [
    'typeof navigator.userAgent',
    'await new Promise((r) => { clearImmediate(setImmediate(() => r("cleared"))); setImmediate((...a) => r(a), 1, 2) })',
    '[DOMException.ABORT_ERR, new DOMException("x").DATA_CLONE_ERR, DOMException.INVALID_STATE_ERR, DOMException.QUOTA_EXCEEDED_ERR]',
    '(() => { const r = Response.error(); return [r.type, r.status, r.ok, r.body, [...r.headers]] })()',
    'typeof WebSocket',
  ],
  events: [
    '(() => { const c = new AbortController(); const seen = []; c.signal.addEventListener("abort", (e) => seen.push(e.type)); c.abort(); c.abort(); return [seen, c.signal.aborted, c.signal.reason.name] })()',
    '(() => { try { AbortSignal.abort("why").throwIfAborted() } catch (e) { return e } })()',
    'await new Promise((r) => AbortSignal.timeout(5).addEventListener("abort", (e) => r(e.target.reason.name)))',
    'AbortSignal.any([new AbortController().signal, AbortSignal.abort(1)]).reason',
    '(() => { const t = new EventTarget(); let n = 0; t.addEventListener("x", () => n++, { once: true }); t.dispatchEvent(new Event("x")); t.dispatchEvent(new Event("x")); return n })()',
    "(() => { const t = new EventTarget(); t.addEventListener('x', () => {}, null); t.addEventListener('x', () => {}, undefined); t.addEventListener('x', () => {}, true); return 1 })()",
    "(() => { const e = new CustomEvent('x', { detail: { a: 1 }, bubbles: true }); return [e.detail, e.bubbles, e.cancelable, e.composed, typeof e.timeStamp] })()",
    "(() => { class My extends EventTarget { #x = 1; go() { this.dispatchEvent(new CustomEvent('y', { detail: this.#x })) } } const m = new My(); let v; m.addEventListener('y', (e) => v = e.detail); m.go(); return v })()",
    "(() => { const c = new AbortController(), o = []; c.signal.addEventListener('abort', () => o.push('a')); c.signal.onabort = () => o.push('b'); c.signal.addEventListener('abort', () => o.push('c')); c.signal.onabort = () => o.push('d'); c.abort(); return o })()",
    "(() => { const c = new AbortController(), o = []; c.signal.onabort = () => o.push('a'); c.signal.addEventListener('abort', () => o.push('b')); c.signal.onabort = null; c.abort(); return [o, Object.keys(c.signal)] })()",
    "(() => { const t = new EventTarget(), o = []; const b = () => o.push('b'); t.addEventListener('x', () => { o.push('a'); t.removeEventListener('x', b) }); t.addEventListener('x', b); t.dispatchEvent(new Event('x')); return o })()",
    "(() => { const c = new AbortController(); c.signal.onabort = function (e) { this.__x = e.type + (e.target === c.signal) }; c.abort('r'); return [c.signal.__x, c.signal.reason] })()",
    '(() => { const c = new AbortController(); c.abort(null); return c.signal.reason })()',
    "new DOMException('m', {name: 'X', cause: 5}).cause",
  ],
  timers: [
    'await new Promise((r) => setTimeout(r, 5, "arg"))',
    'await new Promise((r) => { let n = 0; const i = setInterval(() => { if (++n === 3) { clearInterval(i); r(n) } }, 1) })',
    'await new Promise((r) => { const t = setTimeout(() => r("no"), 1); clearTimeout(t); setTimeout(() => r("yes"), 5) })',
    'await (async () => { const o = []; setTimeout(() => o.push("timer")); queueMicrotask(() => o.push("micro")); await new Promise((r) => setTimeout(r, 3)); return o })()',
    'typeof performance.now()',
  ],
  clone: [
    'structuredClone({ a: [1, { b: new Date(0) }], m: new Map([[1, new Set([2])]]), r: /x/g.source, u: new Uint8Array([1, 2]) })',
    '(() => { const a = { n: 1 }; a.self = a; const b = structuredClone(a); return [b.self === b, b !== a] })()',
    'structuredClone(() => {})',
    '(() => { const e = structuredClone(new TypeError("t")); return [e instanceof TypeError, e.message] })()',
    'structuredClone(new Map([[{ a: 1 }, new Set([new Date(5)])]])).size',
    "(() => { const o = { d: new Date(7), m: new Map([['k', { x: 1 }]]), s: new Set([1]), r: /a/gi, n: null, u: undefined, nan: NaN, z: -0 }; o.self = o; const c = structuredClone(o); return [c.self === c, c.d, [...c.m], [...c.s], String(c.r), c.nan, Object.is(c.z, -0), 'u' in c] })()",
    'structuredClone(new Boolean(true)) instanceof Boolean',
    "structuredClone(new String('x')) instanceof String",
    'structuredClone(Object(1n)) instanceof BigInt',
    'structuredClone(new DataView(new ArrayBuffer(4), 1, 2)).byteLength',
    '(() => { const b = new ArrayBuffer(8); const c = structuredClone([new Uint8Array(b), new Uint8Array(b, 4)]); return c[0].buffer === c[1].buffer })()',
    'structuredClone(new Float64Array([1.5])).constructor.name',
    'structuredClone(new (class A { x = 1; #y = 2; get z() { return 3 } })())',
    'structuredClone(new (class A { x = 1 })()).constructor === Object',
    'structuredClone([1, , 3]).hasOwnProperty(1)',
    '(() => { const a = [1]; a.extra = 2; return structuredClone(a).extra })()',
    "(() => { const e = new RangeError('x', { cause: new Error('c') }); e.foo = 1; const c = structuredClone(e); return [c.name, c.message, c.cause.message, c.foo, c.stack === e.stack, Object.keys(c)] })()",
    "(() => { class My extends Error { name = 'My' }; const c = structuredClone(new My('m')); return [c.name, c.constructor.name] })()",
    "structuredClone(new AggregateError([new Error('a')], 'm')).name",
    '(() => { const b = new ArrayBuffer(8); const c = structuredClone(b, { transfer: [b] }); return [c.byteLength, b.byteLength] })()',
    '(() => { const r = /a/g; r.lastIndex = 3; return structuredClone(r).lastIndex })()',
    `structuredClone(JSON.parse('{"__proto__": {"x": 1}}')).x`,
    `(() => { const c = structuredClone(JSON.parse('{"__proto__": {"x": 1}}')); return Object.keys(c) })()`,
    'structuredClone(Object.create(null)) instanceof Object',
    "structuredClone(new Blob(['x'])).size",
    "(() => { const e = structuredClone(new DOMException('m', 'AbortError')); return [e.name, e.message, e instanceof DOMException] })()",
    "structuredClone({ at: new URL('https://a.b') })",
    "structuredClone(new Response('x'))",
    'structuredClone([new ReadableStream()])',
  ],
  http: [
    '[...new Headers({ B: "2", a: " 1 " })]',
    '(() => { const h = new Headers([["a", "1"], ["A", "2"]]); h.append("set-cookie", "x"); h.append("set-cookie", "y"); return [h.get("a"), h.getSetCookie(), h.has("b")] })()',
    'new Headers({ "bad name": "x" })',
    'await (async () => { const r = new Request("https://a.b/c", { method: "post", body: "x", headers: { y: "z" } }); return [r.method, r.url, await r.clone().text(), await r.text(), r.headers.get("content-type"), r.bodyUsed] })()',
    'new Request("https://a.b/", { body: "x" })',
    'await (async () => { const r = Response.json({ a: 1 }, { status: 201 }); return [r.status, r.ok, r.headers.get("content-type"), await r.json()] })()',
    'await (async () => { const r = new Response("x"); await r.text(); return r.text() })()',
    'Response.redirect("https://a.b/", 301).headers.get("location")',
    'await new Response(new URLSearchParams({ a: "b c" })).text()',
    'await new Response(new Blob(["a", new Uint8Array([98])], { type: "text/x" })).text()',
    'await (async () => { const f = new FormData(); f.append("a", "1"); f.append("b", new File(["é"], "n.txt", { type: "text/plain" })); const g = await new Response(f).formData(); return [g.get("a"), g.get("b").name, await g.get("b").text(), [...g.keys()]] })()',
    'await (async () => [...await new Response("a=1&b=2", { headers: { "content-type": "application/x-www-form-urlencoded" } }).formData()])()',
    'new Headers(null)',
    "new Headers([['a']])",
    "new Headers([['a','b','c']])",
    "new Headers({ a: 'ü' }).get('a')",
    "new Headers({ a: '€' }).get('a')",
    "new Headers({ a: undefined }).get('a')",
    "(() => { const h = new Headers({a:'1'}); h.append('A', ''); h.set('b',''); return [[...h], h.has('B'), h.get('b'), h.get('none')] })()",
    "(() => { const h = new Headers(); h.append('Set-Cookie','a=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT'); h.append('set-cookie','b=2'); return [[...h], h.get('set-cookie'), h.getSetCookie(), [...h.keys()], [...h.values()]] })()",
    "(() => { const h = new Headers({a:'1',b:'2'}); h.delete('a'); const o = {}; h.forEach((v,k,all) => { o[k] = v + (all === h) }); return o })()",
    "(() => { const h = new Headers({ 'set-cookie': 'a=1' }); const r = new Response(null, { headers: h }); r.headers.append('set-cookie', 'b=2'); const c = new Response('x', r); return [c.headers.getSetCookie(), h.getSetCookie()] })()",
    "new Headers(new Map([['a', '1']])).get('a')",
    "Object.entries(new Headers({a:'1'}))",
    "Object.fromEntries(new Headers({a:'1',B:'2'}))",
    String.raw`new Headers({a:' x\t'}).get('a')`,
    String.raw`new Headers({a:'x\ny'})`,
    "new Request('https://a.b', {method:'PATCH'}).method",
    "new Request('https://a.b', {method:'connect'})",
    "new Request('https://a.b', {method:'a b'})",
    "new Request('/rel')",
    "await (async () => { const r = new Request('https://a.b', {method:'POST', body:'x'}); const n = new Request(r); return [r.bodyUsed, await n.text()] })()",
    "await (async () => { const r = new Request('https://a.b', {method:'POST', body:'x'}); const n = new Request(r, {headers: {a:'1'}}); return [n.headers.get('content-type'), n.method, r.bodyUsed] })()",
    "await (async () => { const r = new Request('https://a.b', {method:'POST', body:'x'}); await r.text(); return new Request(r).method })()",
    "await (async () => { const r = new Request('https://a.b', {method:'POST', body:'x'}); await r.text(); r.clone() })()",
    "new Request('https://a.b', {method:'POST', body: new ReadableStream(), duplex: 'half'}).body !== null",
    "new Request(new URL('https://a.b/x')).url",
    "new Request('https://a.b', null).url",
    "(() => { const c = new AbortController(); const r = new Request('https://a.b', {signal: c.signal}); c.abort(); return r.signal.aborted })()",
    "new Response('x', {status: 99})",
    "new Response('x', {status: 204})",
    'new Response(null, {status: 204}).status',
    "new Response('', {status: 204})",
    'new Response(undefined).body',
    "new Response('').body === null",
    "new Response(null, {status: '201'}).status",
    "new Response('a', {statusText: 'Fine'}).statusText",
    "new Response('a', null).status",
    'Response.json(undefined)',
    "new Response(new Uint8Array([1])).headers.get('content-type')",
    "new Response(5).headers.get('content-type')",
    'await new Response(5).text()',
    'await new Response({}).text()',
    'await new Response(null).json()',
    "await new Response('').json()",
    "await new Response('{').json()",
    String.raw`await new Response('\ufeff{"a":1}').json()`,
    String.raw`(await new Response('\ufeffx').text()).length`,
    "(await new Response('x').bytes()).length",
    "(await new Response('x').arrayBuffer()).byteLength",
    "await (async () => { const r = new Response('abc'); const c = r.clone(); return [await r.text(), await c.text()] })()",
    "await (async () => { const r = new Response(ReadableStream.from(['a','b']).pipeThrough(new TextEncoderStream())); const c = r.clone(); return [await r.text(), await c.text()] })()",
    "await (async () => { const r = new Response('abc'); r.body; return [r.bodyUsed, await r.text(), r.bodyUsed] })()",
    "await (async () => { const r = new Response('abc'); const reader = r.body.getReader(); await reader.read(); return [r.bodyUsed, r.body.locked] })()",
    "await (async () => { const r = new Response('abc'); r.body.getReader(); return r.text() })()",
    'await (async () => { const r = new Response(null); await r.text(); return [r.bodyUsed, await r.text()] })()',
    "(await new Response(new Blob(['x'], {type:'a/b'})).blob()).type",
    "await new Response('x').formData()",
    "await (async () => [...await new Response('a=1&b=%E9&c', {headers: {'content-type': 'Application/x-www-form-urlencoded; charset=utf-8'}}).formData()])()",
    String.raw`await (async () => { const f = new FormData(); f.append('a', 'x\ny'); f.append('q"t', 'v'); f.append('f', new Blob(['z'], {type:'text/plain;charset=utf-8'}), 'na"me.txt'); f.append('e', new Blob([])); const g = await new Response(f).formData(); return [[...g.keys()], g.get('a'), g.get('f').name, g.get('f').type, g.get('e').name, g.get('e').type] })()`,
    '(await new Response(new FormData()).text()).length > 0',
    'await (async () => [...await new Response(new FormData()).formData()])()',
    "new Response(new FormData()).headers.get('content-type').startsWith('multipart/form-data; boundary=')",
    "new Request('https://a.b', {method: 'POST', body: new FormData()}).headers.has('content-type')",
    String.raw`await (async () => { const body = 'preamble\r\n--X\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--X--\r\nepilogue'; const g = await new Response(body, {headers: {'content-type': 'multipart/form-data; boundary="X"'}}).formData(); return [...g] })()`,
    String.raw`await (async () => { const body = '--X\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--X--\r\n'; const g = await new Response(body, {headers: {'content-type': 'multipart/form-data; boundary=X'}}).formData(); return [...g] })()`,
    String.raw`await (async () => { const body = '--X\r\nContent-Disposition: form-data; name="a"\r\n\r\n1'; const g = await new Response(body, {headers: {'content-type': 'multipart/form-data; boundary=X'}}).formData(); return [...g] })()`,
    String.raw`await (async () => { const body = '--X\r\nContent-Disposition: form-data; name="a%22b"\r\n\r\n1\r\n--X--\r\n'; const g = await new Response(body, {headers: {'content-type': 'multipart/form-data; boundary=X'}}).formData(); return [...g] })()`,
    "(() => { const f = new FormData(); f.append('a','1'); f.append('b','2'); f.append('a','3'); f.set('a','9'); return [...f] })()",
    "(() => { const f = new FormData(); f.append('a', new Blob(['x']), 'n'); return [f.get('a') instanceof File, f.get('a').name, f.get('a').size] })()",
    "(() => { const f = new FormData(); f.append('a', null); f.append('b'); return [...f] })()",
    "(() => { const f = new FormData(); f.append('a', 'x', 'name'); return [...f] })()",
    "new File(['x'], 'n', {type: 'A/B', lastModified: 5}).lastModified",
    "(() => { const b = new Blob(['abcdef'], {type:'x/y'}); return [b.slice(1,3).size, b.slice(-2).size, b.slice(1,3).type, b.slice(0,1,'Q/R').type, b.size] })()",
    "await new Blob([new Blob(['a']), new Uint8Array([98]), 'c', new Uint8Array([100,101]).buffer, 5]).text()",
    "new Blob('x')",
    'new Blob(undefined).size',
    "await (async () => { const out = []; for await (const c of new Blob(['abc']).stream()) out.push(...c); return out })()",
    "new Blob(['x'], {type: 'ü'}).type",
    String.raw`(await new Blob(['\ufeffx']).text()).length`,
  ],
}

for (const [name, expressions] of Object.entries(same)) {
  test(`${name}: as in Node`, async () => {
    for (const expression of expressions) await bothWays(expression)
  })
}

test('what a caller has written with many spaces is read at once', async () => {
  const spaces = `a${' '.repeat(15_000)}b`
  const body = `--B\r\ncontent-disposition: form-data; name="f"; filename="n"\r\ncontent-type: ${spaces}\r\n\r\nx\r\n--B--\r\n`
  const source = `async ({ request, res }) => {
    const begun = Date.now()
    const { type } = (await request.formData()).get('f')
    return res.json([request.headers.get('x').length, type.length, Date.now() - begun < 500])
  }`
  const headers = { 'content-type': 'multipart/form-data; boundary=B', x: ` ${spaces}\t` }
  const { text } = await caller.run(program(source), {
    request: { method: 'POST', headers },
    body: Buffer.from(body),
  })
  assert.equal(text, '[15002,15002,true]')
})

test('the web is there also for a program that has put something on what all objects are made of', async () => {
  const { text } = await caller.run(
    program(`async ({ res, log }) => {
      Object.prototype.extra = 1
      log('told')
      return res.text(await new Response(new Blob([new URL('https://a.b').href])).text())
    }`),
  )
  assert.equal(text, 'https://a.b/')
})

test('nothing of Node and nothing of ours can be found', async () => {
  const names = [
    'process',
    'require',
    'module',
    'Buffer',
    'global',
    '__run',
    '__host',
    '__boot',
    '__function',
    '_ivm',
    'ivm',
  ]
  const { text } = await caller.run(
    program(`({ res }) => res.json(${JSON.stringify(names)}.filter((n) => n in globalThis))`),
  )
  assert.equal(text, '[]')
  const eval_ = await caller.run(
    program('({ res }) => { try { return res.text(eval("1+1")) } catch (e) { return res.text(e.name) } }'),
  )
  assert.equal(eval_.text, '2')
})
