/** What GraphiQL shows whoever opens it for the first time. */
export const welcomes = {
  console: `# Welcome to Tendril. This is the console's API: it makes projects.
#
# 1. Sign up: write your address and a password below, press ▶, and copy the secret of the answer.
# 2. Put it into Headers, below: { "authorization": "Bearer ses_…" }
# 3. Run CreateProject. Your project's own API is at /projects/{its id}/graphql, in a page like this one.

mutation SignUp {
  signUp(input: { email: "you@example.org", password: "" }) {
    secret
  }
}

mutation CreateProject {
  createProject(input: { name: "My project" }) {
    id
    name
  }
}
`,
  project: `# This is a project's API. What you see in Docs (the book, on the left) is what your credential may use.
#
# Put one into Headers, below: { "authorization": "Bearer …" }
#   ses_…  of the console (you are a member of the project), or of one of its own users
#   key_…  an API key, for servers
# Without one you are a guest.

query Types {
  __schema {
    queryType { fields { name description } }
  }
}
`,
} as const
