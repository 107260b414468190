/** One result of a subscription as all who get it get it: its JSON, made once. */
export type Payload = { json: Buffer; cursor: string }

/** Where a subscriber's payloads go. */
export type Sink = {
  /** Told before the first payload, once it is known that the caller may ask for what they ask. More than once, perhaps. */
  begin: () => void
  /** False, and nothing is taken, while the other end does not keep up. */
  take: (payload: Payload) => boolean
  /** Resolves when there is room again: to false if there is none by then, as `performance.now` counts. */
  room: (until: number) => Promise<boolean>
  /** The subscription is over, with what there is to tell. */
  end: (error: unknown) => void
}

/** A subscription that is ready to begin. Answers how to leave it. */
export type Feed = (sink: Sink) => () => void
