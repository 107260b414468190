import { test } from 'node:test'
import { bothWays } from '../testing/both-ways.ts'

const same: readonly string[] = [
  'await (async () => { const { publicKey } = await crypto.subtle.generateKey({ name: "RSA-OAEP", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" }, false, ["encrypt", "decrypt"]); const { publicExponent, ...rest } = publicKey.algorithm; return [publicExponent.constructor.name, publicExponent.length, rest] })()',
  'crypto.getRandomValues(new Float32Array(1))',
  'crypto.getRandomValues(new BigUint64Array(2)).length',
  'Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode("abc"))))',
  '(await (async () => { const k = await crypto.subtle.importKey("raw", new TextEncoder().encode("key"), { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]); const s = await crypto.subtle.sign("HMAC", k, new TextEncoder().encode("m")); return [[...new Uint8Array(s)], await crypto.subtle.verify("HMAC", k, s, new TextEncoder().encode("m")), k.type, k.usages] })())',
  '(await (async () => { const k = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt", "decrypt"]); const iv = new Uint8Array(12); const c = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, k, new Uint8Array([1, 2, 3])); const j = await crypto.subtle.exportKey("jwk", k); const b = await crypto.subtle.importKey("jwk", j, "AES-GCM", false, ["decrypt"]); return [c.byteLength, [...new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, b, c))], j.alg] })())',
  '(await (async () => { const { privateKey, publicKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]); const a = { name: "ECDSA", hash: "SHA-256" }; return crypto.subtle.verify(a, publicKey, await crypto.subtle.sign(a, privateKey, new Uint8Array(4)), new Uint8Array(4)) })())',
  'crypto.subtle.digest("MD5", new Uint8Array())',
  '[crypto.randomUUID().length, crypto.getRandomValues(new Uint32Array(4)).length, new Set(crypto.getRandomValues(new Uint8Array(64))).size > 8]',
  'await crypto.subtle.digest("nonsense", new Uint8Array())',
  ...['raw', 'jwk'].map(
    (format) =>
      `await (async () => { const wrapping = await crypto.subtle.generateKey({ name: "AES-GCM", length: 128 }, false, ["wrapKey", "unwrapKey"]); const key = await crypto.subtle.importKey("raw", new Uint8Array(16).fill(7), "AES-CBC", true, ["encrypt"]); const a = { name: "AES-GCM", iv: new Uint8Array(12) }; const wrapped = await crypto.subtle.wrapKey("${format}", key, wrapping, a); const back = await crypto.subtle.unwrapKey("${format}", wrapped, wrapping, a, "AES-CBC", true, ["encrypt"]); return [wrapped.byteLength, back.algorithm, back.usages, [...new Uint8Array(await crypto.subtle.exportKey("raw", back))]] })()`,
  ),
  'await (async () => { const k = await crypto.subtle.importKey("raw", new Uint8Array(16), "AES-KW", false, ["wrapKey", "unwrapKey"]); const key = await crypto.subtle.importKey("raw", new Uint8Array(32), { name: "HMAC", hash: "SHA-256" }, true, ["sign"]); const w = await crypto.subtle.wrapKey("raw", key, k, "AES-KW"); return [[...new Uint8Array(w)], (await crypto.subtle.unwrapKey("raw", w, k, "AES-KW", { name: "HMAC", hash: "SHA-256" }, false, ["sign"])).extractable] })()',
  '(() => [crypto instanceof Crypto, crypto.subtle instanceof SubtleCrypto, Object.keys(crypto), typeof crypto.subtle.digest])()',
  'new SubtleCrypto()',
]

test('crypto: as in Node', async () => {
  for (const expression of same) await bothWays(expression)
})
