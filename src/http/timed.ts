import type { Context } from '../context.ts'

/** Begins to time an operation. What it was and how it went is known at its end. */
export function timed({ metrics, span }: Context): (kind: string, path: string, code: string) => void {
  const begun = performance.now()
  return (kind, path, code) => {
    metrics.operations.observe(performance.now() - begun, kind, path, code)
    span?.setAttributes({ 'graphql.operation.type': kind, 'tendril.path': path, 'tendril.code': code })
  }
}
