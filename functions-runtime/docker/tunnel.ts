/**
 * A network for one build: that of a container whose only program takes connections and hands them to this process, over its
 * standard streams. The build shares it, and there is nothing else in it.
 */
import type { DockerApi } from './api.ts'
import { hardened, walls } from './container.ts'
import { createSplitter, demultiplex } from './frames.ts'
import { labelsOf, removeContainer } from './leftovers.ts'
import { createProxy } from './proxy.ts'

export type Tunnel = { networkMode: string; variables: string[]; close: () => Promise<void> }

const url = 'http://127.0.0.1:3128'

/** `image` has the program that `command` starts. Throws DockerError. */
export async function openTunnel(
  docker: DockerApi,
  image: string,
  command: string,
  registries: readonly string[],
): Promise<Tunnel> {
  const { Id } = await docker.ask<{ Id: string }>('POST', '/containers/create', configOf(image, command))
  const close = () => removeContainer(docker, Id)
  try {
    const socket = await docker.hijack(`/containers/${Id}/attach?stream=1&stdin=1&stdout=1&stderr=1`)
    const send = (id: number, bytes: Buffer) => {
      const head = Buffer.alloc(8)
      head.writeUInt32BE(id, 0)
      head.writeUInt32BE(bytes.length, 4)
      return socket.destroyed || socket.write(Buffer.concat([head, bytes]))
    }
    const proxy = createProxy(registries, send, (resume) => socket.once('drain', resume))
    const ready = Promise.withResolvers<void>()
    const output = createSplitter(
      8,
      (head) => 8 + head.readUInt32BE(4),
      (frame) => {
        const id = frame.readUInt32BE(0)
        if (id === 0) ready.resolve()
        else proxy.receive(id, Buffer.from(frame.subarray(8)))
      },
    )
    socket
      .on(
        'data',
        demultiplex(output, () => {}),
      )
      .on('error', () => {})
    socket.once('end', () => socket.destroy())
    socket.once('close', () => {
      proxy.close()
      ready.reject(new Error('The way to the package registries could not be opened.'))
    })
    await docker.ask('POST', `/containers/${Id}/start`)
    await ready.promise
    const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy']
    return { networkMode: `container:${Id}`, variables: names.map((name) => `${name}=${url}`), close }
  } catch (error) {
    await close()
    throw error
  }
}

function configOf(image: string, command: string) {
  const memory = 128 * 1024 * 1024
  return {
    Image: image,
    Labels: labelsOf('build'),
    Entrypoint: ['sh', '-c', command],
    WorkingDir: '/',
    Env: ['HOME=/tmp'],
    ...{ OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: true, AttachStderr: true, Tty: false },
    ...hardened,
    HostConfig: {
      ...walls,
      Memory: memory,
      MemorySwap: memory,
      PidsLimit: 128,
      Tmpfs: { '/tmp': 'rw,noexec,size=16m' },
    },
  }
}
