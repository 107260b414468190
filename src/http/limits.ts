/**
 * Every limit that a request meets before a resolver does, on every transport. They bound what one caller can make a
 * process do before anybody has looked at the operation; what it may cost is a matter of the schema.
 */
export const limits = {
  /** A JSON body, and one WebSocket message. */
  bodyBytes: 1_000_000,
  /** Path and query string; longer ones are answered 414. */
  urlBytes: 8_000,
  /** All headers and the URL; longer ones are answered 431. */
  headerBytes: 24_000,
  /** Operations in one body. They run in parallel. */
  batch: 10,

  /** The text of an operation. */
  queryCharacters: 100_000,
  /** Names, punctuators and literals in it. */
  tokens: 2_000,
  comments: 200,
  /** Fields within fields, fragments followed. `__schema` and `__type` are counted by `selections` alone. */
  depth: 12,
  /** Fields and fragments, each as often as it is spread. */
  selections: 1_000,
  /** Pairs of fields with selections that end up at one place of the answer. */
  overlaps: 5_000,
  /** Fragments with a name. Validation compares each with each. */
  fragments: 60,
  rootFields: 30,
  aliases: 30,
  directives: 50,
  /** `__schema` and `__type`. */
  introspections: 3,

  /** Lists and objects within each other, in variables and in literals. */
  valueDepth: 32,
  /** Keys and elements in the variables. */
  values: 50_000,

  /** Operations that one socket runs at a time. */
  socketOperations: 100,
  /** What may wait to be read by a socket's other end, and for how long more than that may: then it is closed, to resume. */
  socketBacklogBytes: 1_000_000,
  socketBacklogMs: 2_000,
  /** How long one message may wait for it. */
  socketStallMs: 10_000,
  socketInitMs: 3_000,
  socketPingMs: 30_000,

  /** How long requests in flight may take once the process is told to end. */
  shutdownMs: 10_000,
} as const
