"""A post is new: another service says in which language it is and how many words it has, and that is written beside it."""

ENRICH = "mutation Enrich($input: UpdatePostInput!) { updatePost(input: $input) { id language words } }"


def main(context):
    post = context.req.json()["data"]
    answer = context.fetch(f"{context.env['READING_URL']}/read", method="POST", body=post["after"]["body"])
    if not answer.ok:
        raise RuntimeError(f"The reading service answers {answer.status}.")
    updated = context.graphql(ENRICH, {"input": {"id": post["id"], **answer.json()}})["updatePost"]
    context.log(f"{updated['id']} has {updated['words']} words")
    return context.res.json(updated)
