import assert from 'node:assert/strict'
import { test } from 'node:test'
import { program } from '../testing/executor.ts'
import { caller } from '../testing/stage.ts'

/** What an expression gives in a function, and here, where the same names are Node's. */
async function bothWays(expression: string): Promise<void> {
  const source = `async () => { try { return await (${expression}) } catch (e) { return e.name } }`
  const { end, text } = await caller.run(program(`async ({ res }) => res.json(await (${source})())`))
  assert.equal(end.failure, null, expression)
  const here = await new Function(`return (${source})()`)()
  assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(here) ?? 'null'), expression)
}

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
  ],
  crypto: [
    'Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode("abc"))))',
    '(await (async () => { const k = await crypto.subtle.importKey("raw", new TextEncoder().encode("key"), { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]); const s = await crypto.subtle.sign("HMAC", k, new TextEncoder().encode("m")); return [[...new Uint8Array(s)], await crypto.subtle.verify("HMAC", k, s, new TextEncoder().encode("m")), k.type, k.usages] })())',
    '(await (async () => { const k = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt", "decrypt"]); const iv = new Uint8Array(12); const c = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, k, new Uint8Array([1, 2, 3])); const j = await crypto.subtle.exportKey("jwk", k); const b = await crypto.subtle.importKey("jwk", j, "AES-GCM", false, ["decrypt"]); return [c.byteLength, [...new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, b, c))], j.alg] })())',
    '(await (async () => { const { privateKey, publicKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]); const a = { name: "ECDSA", hash: "SHA-256" }; return crypto.subtle.verify(a, publicKey, await crypto.subtle.sign(a, privateKey, new Uint8Array(4)), new Uint8Array(4)) })())',
    'crypto.subtle.digest("MD5", new Uint8Array())',
    '[crypto.randomUUID().length, crypto.getRandomValues(new Uint32Array(4)).length, new Set(crypto.getRandomValues(new Uint8Array(64))).size > 8]',
    'await crypto.subtle.digest("nonsense", new Uint8Array())',
  ],
  events: [
    '(() => { const c = new AbortController(); const seen = []; c.signal.addEventListener("abort", (e) => seen.push(e.type)); c.abort(); c.abort(); return [seen, c.signal.aborted, c.signal.reason.name] })()',
    '(() => { try { AbortSignal.abort("why").throwIfAborted() } catch (e) { return e } })()',
    'await new Promise((r) => AbortSignal.timeout(5).addEventListener("abort", (e) => r(e.target.reason.name)))',
    'AbortSignal.any([new AbortController().signal, AbortSignal.abort(1)]).reason',
    '(() => { const t = new EventTarget(); let n = 0; t.addEventListener("x", () => n++, { once: true }); t.dispatchEvent(new Event("x")); t.dispatchEvent(new Event("x")); return n })()',
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
  ],
  streams: [
    'await (async () => { const out = []; for await (const c of ReadableStream.from([1, 2, 3])) out.push(c); return out })()',
    'await new Response(ReadableStream.from(["a", "b"]).pipeThrough(new TextEncoderStream())).text()',
    'await (async () => { const up = new TransformStream({ transform: (c, k) => k.enqueue(c.toUpperCase()), flush: (k) => k.enqueue("!") }); const out = []; for await (const c of ReadableStream.from(["a", "b"]).pipeThrough(up)) out.push(c); return out.join("") })()',
    'await (async () => { const [a, b] = ReadableStream.from([1, 2]).tee(); const all = async (s) => { const o = []; for await (const c of s) o.push(c); return o }; return Promise.all([all(a), all(b)]) })()',
    'await (async () => { let c = null; const s = new ReadableStream({ cancel: (r) => { c = r } }); await s.cancel("why"); return c })()',
    'await (async () => { const s = new ReadableStream({ start: (c) => c.error(new RangeError("bad")) }); await s.getReader().read() })()',
    'await (async () => { const got = []; const w = new WritableStream({ write: (c) => { got.push(c) } }).getWriter(); await w.write(1); await w.write(2); await w.close(); return got })()',
    'await (async () => { const b = new Response("stream me").body; const r = b.getReader(); const { value, done } = await r.read(); return [value.length, done, (await r.read()).done, b.locked] })()',
  ],
}

for (const [name, expressions] of Object.entries(same)) {
  test(`${name}: as in Node`, async () => {
    for (const expression of expressions) await bothWays(expression)
  })
}

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
