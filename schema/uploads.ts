import { type Upload as File, isUpload } from '../src/lib/upload.ts'
import { builder } from './builder.ts'

export const Upload = builder.scalarType('Upload', {
  description:
    'A file that comes with the request: `multipart/form-data`, by the GraphQL multipart request specification, with the header `x-tendril-csrf`.',
  serialize: () => {
    throw new Error('A file is not answered.')
  },
  parseValue: (value): File => {
    if (isUpload(value)) return value
    throw new TypeError('A file comes as a part of its own of a multipart/form-data body.')
  },
  parseLiteral: () => {
    throw new TypeError('A file is given by a variable.')
  },
})
