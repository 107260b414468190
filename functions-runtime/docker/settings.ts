/** Every environment variable that the Docker adapter reads. */
export type DockerSettings = {
  /** DOCKER_HOSTS, or DOCKER_HOST: the engines, as `unix:///path` or `tcp://host:port`, separated by commas. They share the load. None by default. */
  hosts: readonly string[]
  /** DOCKER_CERT_PATH: a folder with ca.pem, cert.pem and key.pem, for engines that are reached by TLS. */
  certificates: string | null
  /** DOCKER_RUNTIMES: names of the runtimes that are offered, separated by commas. All of them where it is empty. */
  runtimes: readonly string[]
  /** RUNTIMES_DIR: a folder with further runtimes, one JSON file each. */
  runtimesDir: string | null
  /** DOCKER_CONTAINERS: most containers of functions at once, on each engine. */
  containers: number
  /** DOCKER_IDLE_SECONDS: a container that had nothing to do for so long is removed. */
  idleMs: number
  /** DOCKER_CPUS: processors that a container may use. */
  cpus: number
  /** BUILD_MEMORY_MB, BUILD_DISK_MB: what a build may use. Its disk is memory too. */
  buildMemoryMb: number
  buildDiskMb: number
  /** BUILD_REGISTRIES: names of hosts that a build may reach, by https, separated by commas. None by default. */
  registries: readonly string[]
}

type Given = Readonly<Record<string, string | undefined>>

export function readDockerSettings(given: Given): DockerSettings {
  return {
    hosts: listOf(given.DOCKER_HOSTS || given.DOCKER_HOST),
    certificates: given.DOCKER_CERT_PATH || null,
    runtimes: listOf(given.DOCKER_RUNTIMES),
    runtimesDir: given.RUNTIMES_DIR || null,
    containers: atLeast(given, 'DOCKER_CONTAINERS', 20, 1),
    idleMs: atLeast(given, 'DOCKER_IDLE_SECONDS', 300, 1) * 1000,
    cpus: atLeast(given, 'DOCKER_CPUS', 1, 0.1),
    buildMemoryMb: atLeast(given, 'BUILD_MEMORY_MB', 1024, 64),
    buildDiskMb: atLeast(given, 'BUILD_DISK_MB', 512, 8),
    registries: listOf(given.BUILD_REGISTRIES),
  }
}

function listOf(text: string | undefined): string[] {
  const parts = (text ?? '').split(',').map((part) => part.trim())
  return [...new Set(parts.filter((part) => part !== ''))]
}

function atLeast(given: Given, name: string, initial: number, least: number): number {
  const value = given[name] ? Number(given[name]) : initial
  if (value >= least && value < 1e6) return value
  throw new Error(`${name} must be a number from ${least}.`)
}
