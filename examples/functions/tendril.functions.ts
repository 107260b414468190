import type { Functions } from 'tendril/functions'

const onNewPosts = {
  events: ['databases.*.collections.posts.documents.*.created'],
  scopes: ['documents.write'],
  runAs: 'FUNCTION',
} as const

export default {
  functions: {
    enrich: { runtime: 'typescript', ...onNewPosts },
    'enrich-python': { runtime: 'python-3.11', entrypoint: 'main.py', ...onNewPosts },
  },
} satisfies Functions
