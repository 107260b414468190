/** The container that docker-compose.yml makes for the functions runtime, on a real engine: bubblewrap is around what runs in it. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { parse } from 'yaml'
import { startDocker, type TestDocker, whyNoDocker } from '../../src/testing/docker/engine.ts'

const root = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

type Service = { security_opt: string[]; cap_drop: string[]; read_only: boolean; tmpfs: string[] }
const { services } = parse(read('docker-compose.yml'), { merge: true }) as { services: Record<string, Service> }
const service = services['functions-runtime'] ?? assert.fail()

test('the image has bubblewrap, and its programs run as nobody in particular', () => {
  assert.match(read('Dockerfile'), /apt-get install -y --no-install-recommends bubblewrap/)
  assert.match(read('Dockerfile'), /^USER node$/m)
})

/** What Docker's own command makes of the options of a service, for its API. */
function hostOf({ security_opt, cap_drop, read_only, tmpfs }: Service): object {
  const isWhole = security_opt.includes('systempaths=unconfined')
  const options = security_opt
    .filter((option) => option !== 'systempaths=unconfined')
    .map((option) => option.replace(/^(seccomp|apparmor):/, '$1='))
    .map((option) => option.replace(/^seccomp=(\.\/.+)$/, (_all, path) => `seccomp=${read(path)}`))
  return {
    SecurityOpt: options,
    ...(isWhole && { MaskedPaths: [], ReadonlyPaths: [] }),
    CapDrop: cap_drop,
    ReadonlyRootfs: read_only,
    Tmpfs: Object.fromEntries(tmpfs.map((path) => [path, ''])),
    NetworkMode: 'none',
    // Where the image has it; a folder of /tmp would change what /tmp is in there.
    Binds: [`${root}:/tendril:ro`],
  }
}

describe('in the container of the compose file', { skip: whyNoDocker() ?? false }, () => {
  let docker: TestDocker
  before(async () => {
    docker = await startDocker(['tendril'])
  })
  after(() => docker?.stop())

  async function run(options: Service): Promise<Record<string, unknown>> {
    const { Id } = await docker.api.ask<{ Id: string }>('POST', '/containers/create', {
      Image: 'tendril',
      User: '1000:1000',
      WorkingDir: '/tendril',
      Cmd: ['node', 'functions-runtime/testing/sealed.ts'],
      Tty: true,
      HostConfig: hostOf(options),
    })
    await docker.api.ask('POST', `/containers/${Id}/start`)
    await docker.api.ask('POST', `/containers/${Id}/wait`)
    const log = await docker.api.send('GET', `/containers/${Id}/logs?stdout=1&stderr=1`, null)
    const said = await text(log)
    return JSON.parse(/^\{.*\}\s*$/m.exec(said)?.[0] ?? assert.fail(said))
  }

  test('functions and builds are sealed, and the kernel answers to less', async () => {
    assert.deepEqual(await run(service), {
      isSealed: true,
      buildsSealed: true,
      answer: 'hello',
      failure: null,
      error: null,
      said: '',
      seccomp: '2',
    })
  })

  test("with Docker's own filters they run, and it is said loudly that they are not sealed", async () => {
    const told = await run({ ...service, security_opt: ['no-new-privileges:true'] })
    assert.partialDeepStrictEqual(told, { isSealed: false, buildsSealed: false, answer: 'hello', error: null })
    assert.match(String(told.said), /^WARNING: functions run without the walls of bubblewrap/)
  })
})
