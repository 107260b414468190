import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bothWays } from '../testing/both-ways.ts'
import { answerOf } from '../testing/stage.ts'

const same: readonly string[] = [
  'await (async () => { let n = 0; new ReadableStream({ pull(c) { c.enqueue(++n) } }, new CountQueuingStrategy({ highWaterMark: 3 })); await new Promise((r) => setTimeout(r, 5)); return n })()',
  '(() => { const s = new ByteLengthQueuingStrategy({ highWaterMark: 8 }); return [s.highWaterMark, s.size(new Uint8Array(3)), new WritableStream({}, s).getWriter().desiredSize] })()',
  'await (async () => { const out = []; for await (const c of ReadableStream.from([1, 2, 3])) out.push(c); return out })()',
  'await new Response(ReadableStream.from(["a", "b"]).pipeThrough(new TextEncoderStream())).text()',
  "(() => { class Mine extends TransformStream { constructor() { super(); Object.defineProperty(this, 'readable', { get: () => super.readable.pipeThrough(new TextEncoderStream()) }) } } const m = new Mine(); const w = m.writable.getWriter(); w.write('a'); w.close(); return new Response(m.readable).text() })()",
  '[Object.keys(new TransformStream()), Object.keys(new CompressionStream("gzip"))]',
  'await (async () => { const up = new TransformStream({ transform: (c, k) => k.enqueue(c.toUpperCase()), flush: (k) => k.enqueue("!") }); const out = []; for await (const c of ReadableStream.from(["a", "b"]).pipeThrough(up)) out.push(c); return out.join("") })()',
  'await (async () => { const [a, b] = ReadableStream.from([1, 2]).tee(); const all = async (s) => { const o = []; for await (const c of s) o.push(c); return o }; return Promise.all([all(a), all(b)]) })()',
  'await (async () => { let c = null; const s = new ReadableStream({ cancel: (r) => { c = r } }); await s.cancel("why"); return c })()',
  'await (async () => { const s = new ReadableStream({ start: (c) => c.error(new RangeError("bad")) }); await s.getReader().read() })()',
  'await (async () => { const got = []; const w = new WritableStream({ write: (c) => { got.push(c) } }).getWriter(); await w.write(1); await w.write(2); await w.close(); return got })()',
  'await (async () => { const b = new Response("stream me").body; const r = b.getReader(); const { value, done } = await r.read(); return [value.length, done, (await r.read()).done, b.locked] })()',
  "await (async () => { const t = new TransformStream({ transform() { throw new RangeError('t') } }); const out = []; for await (const c of ReadableStream.from([1]).pipeThrough(t)) out.push(c); return out })()",
  "await (async () => { const t = new TransformStream({ async transform(c, k) { await 1; if (c === 2) throw new RangeError('t'); k.enqueue(c) } }); const out = []; try { for await (const c of ReadableStream.from([1,2,3]).pipeThrough(t)) out.push(c) } catch (e) { out.push(e.name) } return out })()",
  "await (async () => { const t = new TransformStream({ start(c) { c.enqueue('s') }, flush() { throw new RangeError('f') } }); const out = []; try { for await (const c of ReadableStream.from([1]).pipeThrough(t)) out.push(c) } catch (e) { out.push(e.name) } return out })()",
  "await (async () => { const t = new TransformStream({ transform(c, k) { k.error(new RangeError('q')) } }); try { await new Response(ReadableStream.from(['a']).pipeThrough(t)).text() } catch (e) { return e.name } })()",
  'await (async () => { const t = new TransformStream({ transform(c, k) { k.enqueue(c); k.terminate() } }); const out = []; for await (const c of ReadableStream.from([1,2,3]).pipeThrough(t)) out.push(c); return out })()',
  "await (async () => { let cancelled; const src = new ReadableStream({ pull(c) { c.enqueue(1) }, cancel(r) { cancelled = r } }); const t = new TransformStream(); const r = src.pipeThrough(t).getReader(); await r.read(); await r.cancel('bye'); await new Promise((d) => setTimeout(d, 20)); return String(cancelled) })()",
  "await (async () => { let cancelled = 'no'; const src = new ReadableStream({ pull(c) { c.enqueue(1) }, cancel(r) { cancelled = String(r) } }); for await (const c of src) break; return cancelled })()",
  'await (async () => { const src = new ReadableStream({ start(c) { c.enqueue(1); c.enqueue(2); c.close() } }); const out = []; for await (const c of src.values({preventCancel: true})) { out.push(c); break } for await (const c of src) out.push(c); return out })()',
  "await (async () => { const { readable, writable } = new TransformStream(); const w = writable.getWriter(); (async () => { await w.ready; await w.write('a'); await w.write('b'); await w.close() })(); return new Response(readable.pipeThrough(new TextEncoderStream())).text() })()",
  "await (async () => { const w = new WritableStream({ write() { throw new RangeError('x') } }).getWriter(); const out = []; try { await w.write(1) } catch (e) { out.push(e.name) } try { await w.closed } catch (e) { out.push('closed ' + e.name) } return out })()",
  'await (async () => { const w = new WritableStream().getWriter(); await w.close(); return [await w.closed, await w.write(1).catch((e) => e.name)] })()',
  'await (async () => { const s = new WritableStream(); const w = s.getWriter(); const l = s.locked; w.releaseLock(); return [l, s.locked, await w.write(1).catch((e) => e.name)] })()',
  'await (async () => { const s = new ReadableStream(); const r = s.getReader(); const p = r.read(); r.releaseLock(); return p.catch((e) => e.name) })()',
  'await (async () => { const s = new ReadableStream({ start(c) { c.close(); } }); const r = s.getReader(); return [await r.closed, (await r.read()).done] })()',
  '(() => { const s = new ReadableStream(); s.getReader(); s.getReader() })()',
  "await (async () => { const s = new ReadableStream({ type: 'bytes', start(c) { c.enqueue(new Uint8Array([1,2,3])); c.close() } }); return new Uint8Array(await new Response(s).arrayBuffer()).length })()",
  'await (async () => { const c = new AbortController(); const p = new ReadableStream({ pull(k) { return new Promise((r) => setTimeout(() => { try { k.enqueue(1) } catch {} r() }, 5)) } }).pipeTo(new WritableStream(), { signal: c.signal }); setTimeout(() => c.abort(), 20); return p.catch((e) => e.name) })()',
  'await (async () => { let closed = false; const w = new WritableStream({ close() { closed = true } }); await ReadableStream.from([1]).pipeTo(w, { preventClose: true }); return [closed, w.locked] })()',
  'await (async () => { const s = new ReadableStream({ start(c) { c.enqueue(1); c.enqueue(2); c.close() } }, { highWaterMark: 5 }); const [a, b] = s.tee(); const r = a.getReader(); await r.read(); await r.read(); const out = []; for await (const c of b) out.push(c); return out })()',
  "await (async () => { let seen; const s = new ReadableStream({ cancel(r) { seen = r } }); const [a, b] = s.tee(); await Promise.all([a.cancel('1'), b.cancel('2')]); return seen })()",
  'await (async () => { let n = 0; const s = new ReadableStream({ pull(c) { n++; c.enqueue(n); if (n === 5) c.close() } }, { highWaterMark: 0 }); await new Promise((r) => setTimeout(r, 5)); return n })()',
  'await (async () => { const d = []; const s = new ReadableStream({ start(c) { d.push(c.desiredSize); c.enqueue(1); d.push(c.desiredSize); c.close(); d.push(c.desiredSize); try { c.enqueue(2) } catch (e) { d.push(e.name) } } }, { highWaterMark: 3 }); return d })()',
  "await (async () => { const d = []; const s = new ReadableStream({ start(c) { d.push(c.desiredSize); c.enqueue('abc'); d.push(c.desiredSize) } }, { highWaterMark: 10, size: (x) => x.length }); return d })()",
  "await (async () => { async function* g() { yield 'a'; await new Promise((r) => setTimeout(r, 2)); yield 'b' } const out = []; for await (const x of ReadableStream.from(g())) out.push(x); return out })()",
  "await (async () => { async function* g() { try { yield 'a'; yield 'b' } finally { globalThis.__fin = 'fin' } } for await (const x of ReadableStream.from(g())) break; return globalThis.__fin })()",
  'await Array.fromAsync(ReadableStream.from([1, 2]))',
  'await Array.fromAsync(ReadableStream.from([Promise.resolve(1), 2]))',
  "await (async () => { const s = new ReadableStream({ async start(c) { throw new RangeError('x') } }); return s.getReader().closed.catch((e) => e.name) })()",
  "(() => { new ReadableStream({ start(c) { throw new RangeError('x') } }) })()",
  "await (async () => { const s = ReadableStream.from(['é', '€'].join('')).pipeThrough(new TextEncoderStream()).pipeThrough(new TextDecoderStream()); return (await Array.fromAsync(s)).join('') })()",
  "(() => { const s = new TextDecoderStream('utf-16le', {fatal: true}); return [s.encoding, s.fatal, s.ignoreBOM, new TextEncoderStream().encoding] })()",
  "await (async () => { const bytes = new Uint8Array([0x3d, 0xd8, 0x00, 0xde]); const s = ReadableStream.from([bytes.slice(0, 1), bytes.slice(1)]).pipeThrough(new TextDecoderStream('utf-16le')); return (await Array.fromAsync(s)).join('') })()",
  'await (async () => { const w = new WritableStream({}, { highWaterMark: 2 }).getWriter(); const a = w.desiredSize; w.write(1); w.write(2); return [a, w.desiredSize] })()',
  "await (async () => { const ts = new TransformStream({ start(c) { c.enqueue('head') }, flush(c) { c.enqueue('tail') } }); const p = Array.fromAsync(ts.readable); const w = ts.writable.getWriter(); await w.write('mid'); await w.close(); return p })()",
  "await (async () => { const s = new ReadableStream({ start(c) { c.error(new RangeError('x')) } }); return new Response(s).text() })()",
  "await (async () => { const { readable, writable } = new TransformStream(); const w = writable.getWriter(); setTimeout(() => { w.write('a'); w.close() }, 10); return (await Array.fromAsync(readable)).join('') })()",
  String.raw`await (async () => { const s = ReadableStream.from(['a\ud83d', '\ude00b', '\ud83d']).pipeThrough(new TextEncoderStream()); return (await Array.fromAsync(s)).map((b) => [...b]) })()`,
  "await (async () => { let k; const t = new TransformStream({ start(c) { k = c } }); const w = t.writable.getWriter(); w.write('a'); await new Promise((d) => setTimeout(d, 5)); k.enqueue('from elsewhere'); const r = t.readable.getReader(); return [await r.read(), await Promise.race([r.read(), new Promise((d) => setTimeout(d, 100, 'never'))])] })()",
  'await (async () => { const got = []; const w = new WritableStream({ async write(c) { await new Promise((d) => setTimeout(d, 5)); got.push(c) } }, { highWaterMark: 9 }); await ReadableStream.from([1, 2, 3]).pipeTo(w, { preventClose: true }); return got })()',
]

test('streams: as in Node', async () => {
  for (const expression of same) await bothWays(expression)
})

const through = (what: string, ...streams: string[]) =>
  `[...await new Response(new Response(${what}).body${streams.map((one) => `.pipeThrough(new ${one})`).join('')}).bytes()]`
const packed = `new Uint8Array(${through("'hello'", "CompressionStream('gzip')")})`

const samePacked: readonly string[] = [
  ...['gzip', 'deflate', 'deflate-raw'].flatMap((format) => [
    through("'hello'.repeat(20_000)", `CompressionStream('${format}')`),
    `(${through("'hello'.repeat(20_000)", `CompressionStream('${format}')`, `DecompressionStream('${format}')`)}).length`,
    through("'nonsense'", `DecompressionStream('${format}')`),
    through("''", `DecompressionStream('${format}')`),
  ]),
  through(`${packed}.subarray(0, 15)`, "DecompressionStream('gzip')"),
  through(`new Uint8Array([...${packed}, 1, 2])`, "DecompressionStream('gzip')"),
  "new CompressionStream('zip')",
  "String(new CompressionStream({ toString: () => 'gzip' }))",
  'new DecompressionStream()',
  "await (async () => { const { writable, readable } = new CompressionStream('deflate'); const w = writable.getWriter(); w.write(new Uint8Array(9).buffer); w.write(new DataView(new ArrayBuffer(3))); w.close(); return [...await new Response(readable).bytes()] })()",
  "[CompressionStream.name, String(new CompressionStream('gzip')), new DecompressionStream('gzip').readable instanceof ReadableStream]",
]

test('streams pack and unpack as in Node', async () => {
  for (const expression of samePacked) await bothWays(expression)
})

test('what is unpacked comes as it is there, and no more of it than is read', async () => {
  const source = `async ({ res }) => {
    const zeros = (count) => new ReadableStream({ pull: (c) => count-- ? c.enqueue(new Uint8Array(1e6)) : c.close() })
    const bomb = await new Response(zeros(250).pipeThrough(new CompressionStream('gzip'))).bytes()
    let bytes = 0
    for await (const { length } of new Response(bomb).body.pipeThrough(new DecompressionStream('gzip'))) bytes += length
    const { writable, readable } = new DecompressionStream('gzip')
    writable.getWriter().write(bomb.subarray(0, 1_000)).catch(() => {})
    const { value } = await readable.getReader().read()
    return res.json([bytes, value.length > 0])
  }`
  // More than it may hold, with the 64 MB that V8 leaves lying outside its heap before it collects.
  const { text } = await answerOf(source, { limits: { timeoutMs: 60_000, memoryMb: 128 } })
  assert.equal(text, '[250000000,true]')
})

test('streams that are left count no longer among those that a run may have', async () => {
  const source = `async ({ res }) => {
    const open = () => new Response('x'.repeat(2e5)).body.pipeThrough(new CompressionStream('gzip')).getReader()
    for (let n = 0; n < 100; n += 1) {
      const reader = open()
      await reader.read()
      await reader.cancel()
    }
    const kept = []
    try { for (;;) kept.push(open()) } catch (error) { return res.text(kept.length + ' ' + error.message) }
  }`
  assert.equal(
    (await answerOf(source, { tenant: 'prj_left' })).text,
    '32 A run may have 32 streams that pack or unpack.',
  )
})

test('a text is no chunk of what is packed, and ends it', async () => {
  const source = `async ({ res }) => {
    const { writable, readable } = new CompressionStream('gzip')
    const read = new Response(readable).text().catch((error) => error.message)
    const written = writable.getWriter().write('text').catch((error) => error.message)
    return res.json([await read, await written])
  }`
  const message = 'A chunk must be bytes.'
  assert.deepEqual(JSON.parse((await answerOf(source)).text), [message, message])
})
