import { Invalid } from '../../errors.ts'
import { whyNotCallable } from '../../platform/egress.ts'

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']

export function requireMethod(method: string): string {
  const upper = method.toUpperCase()
  if (!methods.includes(upper))
    throw new Invalid(`The method must be one of ${methods.join(', ')}.`, ['input', 'method'])
  return upper
}

export function requireCallable(url: string): string {
  const wrong = whyNotCallable(url)
  if (wrong) throw new Invalid(wrong, ['input', 'url'])
  return url
}
