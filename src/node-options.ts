/**
 * What Node is told when it is an API node. V8 takes a server that is not asked for some seconds for one that is done: it gives memory
 * back and forgets compiled code, and the next requests cost a third more until all is there again. And it compiles well what was
 * called a thousand times, not three thousand times (docs/decisions/0031).
 */
export const apiOptions = [
  '--no-memory-reducer',
  '--min-semi-space-size=16',
  '--invocation-count-for-turbofan=1000',
] as const
