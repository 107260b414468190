/** The Redis server that npm has, in a thread: its own event loop, no process more, and it ends with ours. */
import { Server } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import { createRedisServer } from 'js-redis-server'

const { port, password }: { port: number; password: string } = workerData

// It would listen on every network. This prototype is the thread's own, and nothing else listens here.
const { listen } = Server.prototype
Server.prototype.listen = function (this: Server, at: unknown) {
  return Reflect.apply(listen, this, [{ host: '127.0.0.1', port: at, exclusive: true }])
}

const { server, state } = await createRedisServer({ port, compatibility: 'redis-7.2' })
Reflect.set(state, 'requirepass', password)
parentPort?.postMessage(server.getPort())
