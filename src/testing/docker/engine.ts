/** A Docker Engine of a test's own: everything it keeps and listens at is in a folder of its own, and nothing of a network is touched. */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDockerApi, type DockerApi } from '../../../functions-runtime/docker/api.ts'
import { type Tied, tie } from '../../servers/lifeline.ts'
import { freePort } from '../../servers/ports.ts'
import { makeCertificates } from './certificates.ts'
import { importImage } from './images.ts'

export type TestDocker = {
  url: string
  /** The folder of those that it is reached with. */
  certificates: string | null
  api: DockerApi
  /** Stops the engine, and what it runs. What it has stays for `start`. */
  halt: () => Promise<void>
  start: () => Promise<void>
  stop: () => Promise<void>
}

/** Why no engine can run here; null where one can. In CI there is no excuse. */
export function whyNoDocker(): string | null {
  if (process.env.CI) return null
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'a Docker Engine of its own needs root on Linux'
  const isThere = ['/usr/sbin/dockerd', '/usr/bin/dockerd', '/usr/local/bin/dockerd'].some((path) => existsSync(path))
  return isThere ? null : 'there is no dockerd: apt-get install docker.io'
}

/** With the images of these runtimes, made of the machine's own programs. `isRemote`: it is reached by TCP and TLS. */
export async function startDocker(runtimes: readonly string[], { isRemote = false } = {}): Promise<TestDocker> {
  const dir = await mkdtemp(join(tmpdir(), 'tendril-docker-'))
  const certificates = isRemote ? dir : null
  if (isRemote) makeCertificates(dir)
  const url = isRemote ? `tcp://127.0.0.1:${await freePort()}` : `unix://${join(dir, 'docker.sock')}`
  const api = createDockerApi(url, certificates)
  let engine: Tied
  const start = async () => {
    engine = await startEngine(dir, url)
    await until(engine, api)
  }
  await start()
  const docker: TestDocker = {
    url,
    certificates,
    api,
    start,
    halt: () => engine.stop(),
    async stop() {
      await engine.stop()
      await rm(dir, { recursive: true, force: true, maxRetries: 5 })
    },
  }
  try {
    for (const runtime of runtimes) await importImage(api, runtime)
  } catch (error) {
    await docker.stop()
    throw error
  }
  return docker
}

function startEngine(dir: string, url: string): Promise<Tied> {
  const places = ['--data-root', join(dir, 'data'), '--exec-root', join(dir, 'exec'), '--pidfile', join(dir, 'pid')]
  const network = ['--bridge', 'none', '--iptables=false', '--ip-forward=false', '--ip-masq=false']
  const file = (name: string) => join(dir, name)
  const keys = ['--tlscacert', file('ca.pem'), '--tlscert', file('server-cert.pem'), '--tlskey', file('server-key.pem')]
  const tls = url.startsWith('tcp:') ? ['--tlsverify', ...keys] : []
  return tie('dockerd', ['-H', url, ...tls, ...places, ...network], { logFile: join(dir, 'log'), stopSignal: 'TERM' })
}

async function until(engine: Tied, api: DockerApi): Promise<void> {
  for (let tries = 0; tries < 300 && !engine.hasEnded(); tries++) {
    if (await api.ask('GET', '/version').catch(() => null)) return
    await sleep(100)
  }
  throw new Error(`The Docker Engine did not start: ${engine.log().slice(-2_000)}`)
}
