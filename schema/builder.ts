import SchemaBuilder from '@pothos/core'
import PrismaPlugin from '@pothos/plugin-prisma'
import RelayPlugin from '@pothos/plugin-relay'
import ScopeAuthPlugin from '@pothos/plugin-scope-auth'
import ValidationPlugin from '@pothos/plugin-validation'
import WithInputPlugin from '@pothos/plugin-with-input'
import { z } from 'zod'
import type PrismaTypes from '../prisma/client/pothos-types.ts'
import { getDatamodel } from '../prisma/client/pothos-types.ts'
import type { Context } from '../src/context.ts'
import { Forbidden, Invalid, Unauthenticated } from '../src/errors.ts'
import { limits } from '../src/http/limits.ts'
import { requirementOf } from '../src/lib/requirement.ts'
import type { Upload } from '../src/lib/upload.ts'
import './absent.ts'
import './access.ts'
import { mayUse } from './access.ts'
import { dateTime } from './date-time.ts'
import './described.ts'
import { json } from './json.ts'

export type SchemaTypes = {
  Context: Context
  PrismaTypes: PrismaTypes
  DefaultFieldNullability: false
  AuthScopes: { use: import('./access.ts').Access }
  Scalars: {
    ID: { Input: string; Output: string }
    DateTime: { Input: Date; Output: Date }
    JSON: { Input: unknown; Output: unknown }
    Upload: { Input: Upload; Output: never }
  }
}

z.config({
  customError: (issue) => {
    const requirement = requirementOf(issue)
    return requirement && `This ${requirement}.`
  },
})

/** Only the form that lists give: Prisma is never handed a value of another type, or one that PostgreSQL cannot read. */
const cursor = z
  .string()
  .refine(
    (text) => /^GPC:S:[\w.:-]{1,160}$/.test(Buffer.from(text, 'base64').toString()),
    'This is no cursor of a list.',
  )

const { page } = limits
const pageSize = z.int().min(0, 'This cannot be less than 0.').max(page.most, `A page has at most ${page.most}.`)

export const builder = new SchemaBuilder<SchemaTypes>({
  plugins: [
    'access',
    'absent',
    'described',
    ScopeAuthPlugin,
    WithInputPlugin,
    RelayPlugin,
    PrismaPlugin,
    ValidationPlugin,
  ],
  defaultFieldNullability: false,
  withInput: {
    typeOptions: {
      name: ({ fieldName }) => `${fieldName.charAt(0).toUpperCase()}${fieldName.slice(1)}Input`,
    },
    argOptions: { required: true },
  },
  scopeAuth: {
    authorizeOnSubscribe: true,
    authScopes: (ctx) => ({ use: (access) => mayUse(ctx, access) }),
    unauthorizedError: (_parent, ctx) =>
      ctx.actor ? new Forbidden('You may not do this.') : new Unauthenticated('Sign in first.'),
  },
  validation: {
    validationError: ({ issues }) => {
      const path = issues[0]?.path?.map((key) => String(typeof key === 'object' ? key.key : key)) ?? []
      return new Invalid(issues.map((issue) => issue.message).join(' '), path)
    },
  },
  // No `node(id)`: it would answer rows without asking whose they are.
  relay: {
    clientMutationId: 'omit',
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    nodesOnConnection: { description: 'The things on this page.' },
    edgesFieldOptions: { description: 'The things on this page, each with its cursor.' },
    nodeFieldOptions: { description: 'The thing itself.' },
    cursorFieldOptions: { description: 'Its place: give it as `after` or `before`.' },
    pageInfoFieldOptions: { description: 'What lies around this page.' },
    pageInfoTypeOptions: { description: 'What lies around a page of a list.' },
    hasNextPageFieldOptions: { description: 'Whether more come behind this page.' },
    hasPreviousPageFieldOptions: { description: 'Whether some come before this page.' },
    startCursorFieldOptions: { description: 'The place of the first on this page: give it as `before`.' },
    endCursorFieldOptions: { description: 'The place of the last on this page: give it as `after`.' },
    firstArgOptions: {
      description: 'How many at most, from the front: up to 100, 25 if left out.',
      validate: pageSize,
    },
    afterArgOptions: { description: 'Only what comes behind this cursor.', validate: cursor },
    lastArgOptions: { description: 'How many at most, from the end: up to 100.', validate: pageSize },
    beforeArgOptions: { description: 'Only what comes before this cursor.', validate: cursor },
  },
  prisma: {
    client: (ctx) => ctx.db,
    dmmf: getDatamodel(),
    maxConnectionSize: page.most,
    defaultConnectionSize: page.initial,
    exposeDescriptions: false,
    filterConnectionTotalCount: true,
    onUnusedQuery: null,
  },
})

builder.addScalarType('DateTime', dateTime, {
  description: 'A moment in UTC, ISO 8601 with milliseconds: `2026-11-23T12:00:00.000Z`.',
})
builder.addScalarType('JSON', json, { description: 'Any JSON value.' })

builder.queryType({ description: 'Reads.' })
builder.mutationType({
  description:
    'Writes. Each is one transaction, unless the operation is a `@transaction`, and answers the thing it changed.',
})
builder.subscriptionType({ description: 'What happens, as it happens. Each payload carries a cursor to go on from.' })
