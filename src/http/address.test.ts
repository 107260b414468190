import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { addressReader } from './address.ts'

function from(remoteAddress: string | undefined, forwarded?: string): IncomingMessage {
  return { socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } } as unknown as IncomingMessage
}

test('without a trusted proxy it is the address of the socket, whatever the headers say', () => {
  const addressOf = addressReader([])
  assert.equal(addressOf(from('203.0.113.7', '198.51.100.1')), '203.0.113.7')
  assert.equal(addressOf(from('::ffff:203.0.113.7')), '203.0.113.7')
  assert.equal(addressOf(from('2001:DB8:0:0::1')), '2001:db8::1')
  assert.equal(addressOf(from(undefined, '198.51.100.1')), '0.0.0.0')
})

test('behind trusted proxies it is the right-most address that none of them has', () => {
  const addressOf = addressReader(['10.0.0.0/8', '192.0.2.1', '2001:db8::/32'])
  assert.equal(addressOf(from('10.0.0.1', '198.51.100.1')), '198.51.100.1')
  assert.equal(addressOf(from('::ffff:10.0.0.1', '1.1.1.1, 198.51.100.1 ,10.1.2.3, 192.0.2.1')), '198.51.100.1')
  assert.equal(addressOf(from('2001:db8::5', '2001:0db9::1')), '2001:db9::1')
  assert.equal(addressOf(from('203.0.113.7', '198.51.100.1')), '203.0.113.7')
})

test('what is no address is never believed', () => {
  const addressOf = addressReader(['10.0.0.0/8'])
  for (const forwarded of ['', 'unknown', '198.51.100.1:80', '<script>', '198.51.100.1,', ',,,', '\r\n1.1.1.1x']) {
    assert.equal(addressOf(from('10.0.0.1', forwarded)), '10.0.0.1', forwarded)
  }
  assert.equal(addressOf(from('10.0.0.1', '10.0.0.2, 10.0.0.3')), '10.0.0.2')
})

test('a proxy that is no address is refused with its name', () => {
  assert.throws(() => addressReader(['10.0.0.0/33']), /TRUSTED_PROXIES: 10\.0\.0\.0\/33/)
  assert.throws(() => addressReader(['proxy.local']), /proxy\.local/)
})
