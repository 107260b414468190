import ipaddr from 'ipaddr.js'
import { Invalid } from '../errors.ts'
import type { Value } from './value.ts'

/** An address as PostgreSQL writes it, so that equal ones are equal texts. Version 4 in version 6 is version 4. */
export function parseAddress(value: unknown, at: readonly string[]): string {
  const text = typeof value === 'string' && /^[0-9a-f.:]+$/i.test(value) ? value : ''
  const address = ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text) ? ipaddr.process(text) : null
  if (!address || isCompatible(address)) throw new Invalid('This is not an address of the internet.', at)
  return address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address.toString()
}

/** `::0.1.0.2`, long out of use, which libraries read in different ways. */
function isCompatible(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (!(address instanceof ipaddr.IPv6)) return false
  const bytes = address.toByteArray()
  return bytes.slice(0, 12).every((byte) => byte === 0) && bytes.slice(12, 15).some((byte) => byte !== 0)
}

/** As PostgreSQL does: version 4 first, then by number. NaN where one is none, as a row may have it that was logged before. */
export function compareAddresses(a: Value, b: Value): number {
  const [one, other] = [a, b].map((value) =>
    ipaddr.isValid(String(value)) ? Buffer.from(ipaddr.parse(String(value)).toByteArray()) : null,
  )
  if (!one || !other) return Number.NaN
  return one.length - other.length || Buffer.compare(one, other)
}
