import { z } from 'zod'
import {
  createDomain,
  deleteDomain,
  domainLimit,
  pointDomain,
  verifyDomain,
  visibleDomains,
} from '../src/modules/domains/domains.ts'
import { type DnsRecord as Dns, proofOf, targetOf } from '../src/modules/domains/pointing.ts'
import { builder } from './builder.ts'
import { changedField } from './changed.ts'
import { connectionOf } from './connections.ts'
import { FunctionType } from './functions.ts'

const read = { audience: ['console', 'server'], scope: 'domains.read' } as const
const write = { audience: ['console', 'server'], scope: 'domains.write' } as const

const DomainStatus = builder.enumType('DomainStatus', {
  description: 'How far the certificate of a domain is.',
  values: {
    PENDING: { description: 'The domain is not known to point here, and to be for this project, yet.' },
    ISSUING: { description: 'Its certificate has been asked for.' },
    ISSUED: { description: 'It has a certificate, which is renewed in time.' },
    FAILED: { description: 'It has none; `error` says why. It is tried again by itself, and by `verifyDomain`.' },
  },
})

const DnsRecord = builder.objectRef<Dns>('DnsRecord').implement({
  description: 'A record of DNS.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name that it is of.' }),
    type: t.exposeString('type', { description: '`CNAME`, `A`, `AAAA` or `TXT`.' }),
    value: t.exposeString('value', { description: 'What it says.' }),
  }),
})

const Domain = builder.prismaObject('Domain', {
  description: 'A domain of your own under which the API is reached, with its certificate.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the domain.' }),
    name: t.exposeString('name', { description: 'Its name: `api.example.com`.' }),
    functionId: t.exposeID('functionId', {
      nullable: true,
      description: 'The function that answers there; null: the API of the project does.',
    }),
    function: t.relation('function', {
      type: FunctionType,
      nullable: true,
      access: { ...read, scope: 'functions.read' },
      description: 'The function that answers there; null: the API of the project does.',
    }),
    status: t.expose('status', { type: DomainStatus, description: 'How far its certificate is.' }),
    error: t.exposeString('reason', { nullable: true, description: 'Why the last try to get a certificate failed.' }),
    target: t.field({
      type: DnsRecord,
      description: 'The record that it needs to point here.',
      select: { name: true },
      resolve: ({ name }, _args, ctx) => ({ name, ...targetOf(ctx.env) }),
    }),
    proof: t.field({
      type: DnsRecord,
      description: 'The record that says that it is for this project, for others could claim what points here.',
      select: { name: true, projectId: true },
      resolve: proofOf,
    }),
    verifiedAt: t.expose('verifiedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when it is known to point here, and to be for this project.',
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true, description: 'When its certificate ends.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was added.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last changed.' }),
  }),
})

const DomainList = connectionOf(Domain, 'Domain')

builder.queryFields((t) => ({
  domain: t.prismaField({
    type: Domain,
    nullable: true,
    access: read,
    description: 'One domain; null when there is none of this id.',
    args: { id: t.arg.id({ required: true, description: 'Which domain.' }) },
    resolve: (query, _root, { id }, ctx) =>
      ctx.db.domain.findFirst({ ...query, where: { AND: [{ id }, visibleDomains(ctx)] } }),
  }),
  domains: t.prismaConnection(
    {
      type: Domain,
      cursor: 'id',
      access: read,
      description: 'The domains of the project, oldest first.',
      totalCount: (_root, _args, ctx) => ctx.db.domain.count({ where: visibleDomains(ctx) }),
      resolve: (query, _root, _args, ctx) =>
        ctx.db.domain.findMany({ ...query, where: visibleDomains(ctx), orderBy: { id: 'asc' } }),
    },
    ...DomainList,
  ),
}))

builder.mutationFields((t) => ({
  createDomain: t.prismaFieldWithInput({
    typeOptions: { description: 'A new domain.' },
    type: Domain,
    access: write,
    description: `Adds a domain. Then make the DNS records that \`target\` and \`proof\` say, and verify it. A project has at most ${domainLimit}.`,
    input: {
      name: t.input.string({
        required: true,
        validate: z.string().max(255),
        description: 'Its name: `api.example.com`.',
      }),
    },
    resolve: (_query, _root, { input }, ctx) => createDomain(ctx, input),
  }),
  verifyDomain: t.prismaField({
    type: Domain,
    access: write,
    description:
      'Looks whether a domain points here and is for this project, and asks for its certificate; `domainChanged` tells when it is there.',
    args: { id: t.arg.id({ required: true, description: 'Which domain.' }) },
    resolve: (_query, _root, { id }, ctx) => verifyDomain(ctx, id),
  }),
  pointDomain: t.prismaFieldWithInput({
    typeOptions: { description: 'A domain, and what answers there.' },
    type: Domain,
    access: write,
    description:
      'Has a function answer all requests at a domain, or the API of the project again. Every node knows of it within two seconds.',
    input: {
      id: t.input.id({ required: true, description: 'Which domain.' }),
      functionId: t.input.id({ description: 'Which function; the API, if left out or null.' }),
    },
    resolve: (_query, _root, { input: { id, functionId } }, ctx) => pointDomain(ctx, id, functionId ?? null),
  }),
  deleteDomain: t.id({
    access: write,
    description: 'Deletes a domain and its certificate. Answers its id.',
    args: { id: t.arg.id({ required: true, description: 'Which domain.' }) },
    resolve: (_root, { id }, ctx) => deleteDomain(ctx, id),
  }),
}))

changedField({
  type: 'Domain',
  noun: 'domains',
  idKey: 'domainId',
  access: read,
  description: 'Domains that are added, verified and deleted, and their certificates.',
  node: (t) =>
    t.prismaField({
      type: Domain,
      nullable: true,
      description: 'The domain as it is now; null once it is gone.',
      resolve: (query, { id, ctx }) =>
        ctx.db.domain.findFirst({ ...query, where: { AND: [{ id }, visibleDomains(ctx)] } }),
    }),
})
