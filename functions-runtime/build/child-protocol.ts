/** What a build is told, as its only argument. */
export type Asked = {
  entrypoint: string
  /** Empty, and its own. */
  folder: string
  /** npm's program, in JavaScript; null where there is none. */
  npm: string | null
  /** The Unix socket behind which the registry is; null where none is configured. */
  registry: string | null
}

/** What it says while it runs, one to a line: a line of its log, why there is no artefact, or what is wrong with us. */
export type Told =
  | { line: { at: number; level: 'log' | 'error'; text: string } }
  | { failed: string }
  | { broken: string }
