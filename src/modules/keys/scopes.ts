import { Invalid } from '../../errors.ts'

/** What an API key can be allowed. Each opens the fields that name it. */
export const scopes = {
  'users.read': 'Read users and their sessions.',
  'users.write': 'Create, change and delete users, addresses and passwords included; end their sessions.',
  'databases.read': 'Read databases, collections, attributes and indexes.',
  'databases.write': 'Create, change and delete databases, collections, attributes and indexes.',
  'documents.read': 'Read every document.',
  'documents.write': 'Create, change and delete every document.',
  'webhooks.read': 'Read webhooks and their deliveries; those of documents with `documents.read` beside it.',
  'webhooks.write':
    'Create, change and delete webhooks, for events of documents with `documents.read` beside it; replay deliveries.',
  'tasks.read': 'Read tasks and their runs.',
  'tasks.write': 'Create, change, delete and run tasks.',
  'functions.read': 'Read functions, their deployments and the names of their variables.',
  'functions.write':
    'Create, change, deploy and delete functions, and set their variables. What a function may do its maker must be allowed, too.',
  'executions.read': 'Read executions of functions, with what they logged.',
  'executions.write': 'Run functions.',
  'domains.read': 'Read domains.',
  'domains.write': 'Add, verify and delete domains.',
  'usage.read': 'Read how much the project uses.',
  'audits.read': 'Read the audit log.',
  'mails.read': 'Read which mails were sent.',
  'mails.write': 'Send failed mails again.',
  'subscriptions.read': 'See who listens to what.',
  'subscriptions.write': 'End subscriptions.',
  'events.read': 'Be told of every event as it happens; of those of documents with `documents.read` beside it.',
} as const

export type Scope = keyof typeof scopes

function isScope(text: string): text is Scope {
  return Object.hasOwn(scopes, text)
}

/** Scopes as they are stored. Throws Invalid for the first that is none. */
export function readScopes(texts: readonly string[]): Scope[] {
  const wrong = texts.findIndex((text) => !isScope(text))
  if (wrong >= 0)
    throw new Invalid(`“${texts[wrong]}” is not a scope, as \`documents.read\` is.`, ['input', 'scopes', `${wrong}`])
  return [...new Set(texts as readonly Scope[])].sort()
}
