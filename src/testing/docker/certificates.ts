import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/**
 * Certificates as Docker wants them, made by openssl: `ca.pem` has signed `cert.pem` (with `key.pem`), by which a client is
 * known, and `server-cert.pem` (with `server-key.pem`), the engine's at `address`.
 */
export function makeCertificates(folder: string, address = '127.0.0.1'): void {
  const path = (name: string) => join(folder, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' })
  const ca = ['-subj', '/CN=test', '-addext', 'keyUsage=critical,keyCertSign']
  openssl('req', '-x509', '-days', '2', ...curve, ...ca, '-keyout', path('ca-key.pem'), '-out', path('ca.pem'))
  const sign = (name: string, key: string, extensions: string) => {
    writeFileSync(path('extensions'), extensions)
    openssl('req', '-new', ...curve, '-subj', '/CN=test', '-keyout', path(key), '-out', path('request'))
    const by = ['-CA', path('ca.pem'), '-CAkey', path('ca-key.pem'), '-CAcreateserial', '-extfile', path('extensions')]
    openssl('x509', '-req', '-days', '2', '-in', path('request'), ...by, '-out', path(name))
  }
  sign('server-cert.pem', 'server-key.pem', `subjectAltName=IP:${address}\nextendedKeyUsage=serverAuth`)
  sign('cert.pem', 'key.pem', 'extendedKeyUsage=clientAuth')
}
