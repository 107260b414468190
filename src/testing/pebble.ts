import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { type Tied, tie } from '../servers/lifeline.ts'
import { freePort } from '../servers/ports.ts'
import { selfSigned } from './tls.ts'

/** Debian's ACME server for tests, and a DNS server that says of names what it is told. */
export type Pebble = {
  directoryUrl: string
  dnsServer: string
  /** The root of what it issues. It is another one for each start. */
  root: () => Promise<string>
  /** Names point to 127.0.0.1 unless they are pointed elsewhere. */
  pointTo: (host: string, record: { address: string } | { alias: string }) => Promise<void>
  /** Has a name say a text besides what it says. */
  say: (host: string, value: string) => Promise<void>
  /** Has it say no text. */
  silence: (host: string) => Promise<void>
  stop: () => Promise<void>
}

/** `httpPort` is where it looks for challenges, in place of port 80. From then on this process trusts its own certificate. */
export async function startPebble(httpPort: number, port: number): Promise<Pebble> {
  const dir = await mkdtemp(join(tmpdir(), 'tendril-pebble-'))
  const [management, dns, dnsManagement] = [await freePort(), await freePort(), await freePort()]
  const { key, cert: ca } = selfSigned()
  const [certificate, privateKey] = [join(dir, 'cert.pem'), join(dir, 'key.pem')]
  await writeFile(certificate, ca)
  await writeFile(privateKey, key)
  const config = {
    ...{ listenAddress: `127.0.0.1:${port}`, managementListenAddress: `127.0.0.1:${management}` },
    ...{ certificate, privateKey, httpPort, tlsPort: 1, ocspResponderURL: '', externalAccountBindingRequired: false },
  }
  await writeFile(join(dir, 'config.json'), JSON.stringify({ pebble: config }))
  const start = (name: string, args: string[], env: Record<string, string>): Promise<Tied> =>
    tie(name, args, { logFile: join(dir, `${name}.log`), stopSignal: 'TERM', env })
  const names = ['-dns01', `127.0.0.1:${dns}`, '-management', `127.0.0.1:${dnsManagement}`, '-defaultIPv6', '']
  const nothing = ['-http01', '', '-https01', '', '-tlsalpn01', '']
  const programs = await Promise.all([
    start('pebble-challtestsrv', [...names, ...nothing], {}),
    start('pebble', ['-config', join(dir, 'config.json'), '-dnsserver', `127.0.0.1:${dns}`], {
      PEBBLE_VA_NOSLEEP: '1',
      PEBBLE_WFE_NONCEREJECT: '0',
    }),
  ])
  setDefaultCACertificates([...getCACertificates('default'), ca])
  const root = () => get(`https://127.0.0.1:${management}/roots/0`, ca)
  await until(() => root())
  const tell = async (path: string, body: object) => {
    const init = { method: 'POST', body: JSON.stringify(body) }
    await until(() => fetch(`http://127.0.0.1:${dnsManagement}/${path}`, init))
  }
  return {
    directoryUrl: `https://127.0.0.1:${port}/dir`,
    dnsServer: `127.0.0.1:${dns}`,
    root,
    pointTo: async (host, record) => {
      const [path, body] =
        'alias' in record
          ? ['set-cname', { host, target: record.alias }]
          : ['add-a', { host, addresses: [record.address] }]
      await tell(path, body)
    },
    say: (host, value) => tell('set-txt', { host: `${host}.`, value }),
    silence: (host) => tell('clear-txt', { host: `${host}.` }),
    stop: async () => {
      await Promise.all(programs.map((program) => program.stop()))
      await rm(dir, { recursive: true, force: true })
    },
  }
}

function get(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request(url, { ca }, async (response) => {
      const parts: Buffer[] = []
      for await (const part of response) parts.push(part)
      resolve(Buffer.concat(parts).toString())
    })
      .on('error', reject)
      .end()
  })
}

async function until<T>(attempt: () => Promise<T>): Promise<T> {
  for (const end = Date.now() + 10_000; ; await sleep(30)) {
    try {
      return await attempt()
    } catch (error) {
      if (Date.now() > end) throw error
    }
  }
}
