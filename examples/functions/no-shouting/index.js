// Decides on posts before they are created or changed: a title in capitals is refused, spaces around it are taken away.
// Hook: databases.*.collections.posts.documents.* , deployed from this folder.
export default async ({ req, res }) => {
  const { inputs } = await req.json()
  const loud = inputs.findIndex(({ title }) => title && /[A-Z]/.test(title) && title === title.toUpperCase())
  if (loud >= 0) return res.json({ message: 'A title is not shouted.', path: ['inputs', loud, 'title'] }, 422)
  return res.json({ inputs: inputs.map((input) => (input.title ? { ...input, title: input.title.trim() } : input)) })
}
