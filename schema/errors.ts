import { errorCodes } from '../src/errors.ts'
import { builder } from './builder.ts'

/** The closed list of codes, so that a client's generated types know it. */
export const ErrorCode = builder.enumType('ErrorCode', {
  description: 'What `errors[].extensions.code` can be.',
  values: Object.fromEntries(Object.entries(errorCodes).map(([code, description]) => [code, { description }])),
})

builder.queryField('errorCodes', (t) =>
  t.field({
    type: [ErrorCode],
    access: { audience: ['visitor', 'console', 'server', 'client'] },
    description: 'Every code that an error can carry.',
    resolve: () => Object.keys(errorCodes),
  }),
)
