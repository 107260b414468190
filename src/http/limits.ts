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
  depth: 32,
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

  /** Things within things: a post, its author, their posts. Fields that only group others are no level. */
  levels: 10,
  /** How many things a page has, and how many if nobody says. */
  page: { most: 100, initial: 25 },
  /** What `__schema` and `__type` may cost together: an introspection as tools make it, and some more. */
  introspectionCost: 100_000,

  /** Lists and objects within each other, in variables and in literals. */
  valueDepth: 32,
  /** Keys and elements in the variables: 10,000 inputs of a bulk form, with a dozen attributes each. */
  values: 150_000,

  /** Operations that one socket runs at a time. */
  socketOperations: 100,
  /** What may wait to be read by a socket's other end: messages and bytes; and for how long more than that may: then it is closed, to resume. */
  socketBacklogMessages: 256,
  socketBacklogBytes: 1_000_000,
  socketBacklogMs: 2_000,
  /** How long one message may wait for it. */
  socketStallMs: 10_000,
  socketInitMs: 3_000,
  socketPingMs: 30_000,

  /** A node refuses requests while more than this wait for their turn or a connection, or while timers are late for 300 ms on end. */
  load: {
    waiting: 1_000,
    delayMs: 500,
    /** Operations of a project that run at a time: while no other asks for anything, and while others do. */
    alone: 100,
    beside: 10,
    /** Members of a project are let in until it is so many times as much. */
    membersTimes: 2,
    /** When whoever is refused is told to try again. */
    retryAfterMs: 1_000,
  },

  /** What is sent to a function's own URL. */
  functionBodyBytes: 6_000_000,
  /** How much of a function's answer may wait for its reader. */
  functionBacklogBytes: 6_000_000,
  /** Requests to functions' own URLs that a node has at a time: of one project, and in all. */
  functionCalls: { ofProject: 100, ofNode: 500 },
  /** How much of a body may be there before its request is one of them: whoever sends slowly takes no place from others. */
  functionBodyAheadBytes: 65_536,

  /** How long a body may take to come, unless it is an import. */
  uploadMs: 60_000,
  /** Imports and exports that a node runs at a time, one line of them, and how long their other end may be silent. */
  transfers: 4,
  lineBytes: 2_000_000,
  transferStallMs: 60_000,

  /** Uploads that a node takes in at a time, how long one may take, and how long the rest of one that is refused is read. */
  uploads: 8,
  fileMs: 30 * 60_000,
  discardMs: 5_000,

  /** How long requests in flight may take once the process is told to end. */
  shutdownMs: 10_000,
} as const

/** What the parts of an operation cost. The unit is about one row that is read. */
export const costs = {
  /** Each thing: a row of a page, the other end of a relation. */
  thing: 1,
  /** Each `totalCount`: it counts all pages. */
  totalCount: 50,
  /** Each aggregate: it reads all that match. */
  aggregate: 100,
  /** Each row that `offset` skips. */
  skipped: 0.01,
  /** Each object in `where`, `having`, `orderBy` and `search`. */
  condition: 0.1,
  /** Each value in a list of them. */
  listValue: 0.01,
  /** What these add wherever they stand in a filter or an order: they look at other rows, at texts, or at all that match. */
  operators: { some: 10, every: 10, none: 10, count: 10, search: 20, regex: 10, distance: 10, near: 10, random: 50 },
  /** Each field of a mutation. */
  mutation: 10,
  /** Each thing that it creates, changes, connects or disconnects. */
  write: 1,
  /** A change of all that match a filter. */
  matching: 100,
} as const

/** The most that one operation may cost, by who asks; owners set others for their project, up to `most`. */
export const costLimits = { client: 20_000, server: 100_000, console: 100_000, most: 1_000_000 } as const
