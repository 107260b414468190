import { z } from 'zod'

/** One address and nothing else, in lower case: what is stored is what mails are sent to. */
export const email = z.string().trim().toLowerCase().max(254).pipe(z.email('This is not an e-mail address.'))

/** Long rather than intricate, as NIST SP 800-63B advises; the upper bound keeps hashing cheap. */
export const password = z.string().min(8, 'A password has at least 8 characters.').max(256)

export const personName = z.string().trim().max(128)
