export type Tab = { query: string; headers: string }

const headers = '{\n  "authorization": ""\n}'

/** What GraphiQL shows whoever opens it for the first time: a tab for each step. */
export const welcomes: { console: Tab[]; project: Tab[] } = {
  console: [
    {
      headers,
      query: `# Welcome to Tendril's console.
#
# 1. Choose a password, and press ▶.
# 2. Copy the secret out of the answer.
# 3. Go on in the next tab.

mutation SignUp {
  signUp(
    input: {
      email: "you@example.org"
      password: ""
    }
  ) {
    secret
  }
}
`,
    },
    {
      headers,
      query: `# 4. Put the secret into Headers, below:
#    { "authorization": "Bearer ses_…" }
# 5. Press ⟳, at the lower left, to see
#    what you may use now; then press ▶.
# 6. Your project's own API is at
#    /projects/{its id}/graphql
#    and takes the same header.

mutation CreateProject {
  createProject(
    input: { name: "My project" }
  ) {
    id
    name
  }
}
`,
    },
  ],
  project: [
    {
      headers,
      query: `# This is the API of one project. Docs (the
# book, at the upper left) shows what your
# credential may use. Put it into Headers:
#
#   { "authorization": "Bearer …" }
#
#   ses_…  of the console, for the project's
#          members, or of one of its users
#   key_…  an API key, for servers
#
# Without one you are a guest. Press ⟳ at the
# lower left whenever you have changed it.

query WhatThereIs {
  __schema {
    queryType {
      fields {
        name
        description
      }
    }
  }
}
`,
    },
  ],
}
