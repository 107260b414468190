/**
 * What a program may touch of the web, and what only some runs need: one text that a context reads when the first of it is
 * touched (bundle.ts). Each part is made once for a context, and finds `scope.ts` and `bytes.ts` as they are there already.
 */
export const parts = {
  blob: () => require('./blob.ts') as typeof import('./blob.ts'),
  clone: () => require('./clone.ts') as typeof import('./clone.ts'),
  console: () => require('./console.ts') as typeof import('./console.ts'),
  crypto: () => require('./crypto.ts') as typeof import('./crypto.ts'),
  effects: () => require('./effects.ts') as typeof import('./effects.ts'),
  events: () => require('./events.ts') as typeof import('./events.ts'),
  form: () => require('./form.ts') as typeof import('./form.ts'),
  headers: () => require('./headers.ts') as typeof import('./headers.ts'),
  http: () => require('./http.ts') as typeof import('./http.ts'),
  streams: () => require('./streams.ts') as typeof import('./streams.ts'),
  text: () => require('./text.ts') as typeof import('./text.ts'),
  timers: () => require('./timers.ts') as typeof import('./timers.ts'),
  transforms: () => require('./transforms.ts') as typeof import('./transforms.ts'),
  url: () => require('./url.ts') as typeof import('./url.ts'),
  writable: () => require('./writable.ts') as typeof import('./writable.ts'),
  zip: () => require('./zip.ts') as typeof import('./zip.ts'),
}

export type Parts = typeof parts
