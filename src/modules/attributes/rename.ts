import type { Attribute, Collection } from '../../../prisma/client/client.ts'
import type { DbContext } from '../../context.ts'
import { Conflict } from '../../errors.ts'
import { expressionKeys, expressionLimit, renameInExpression } from './expressions.ts'
import { renameInWhere } from './uses.ts'

/** Gives an attribute's new key to whatever names it: indexes, rules and computed attributes. Its column keeps its name. */
export async function renameUses(
  tx: DbContext,
  { collectionId, collection, key }: Attribute & { collection: Collection },
  newKey: string,
): Promise<void> {
  const rename = (name: string) => (name === key ? newKey : name)
  for (const index of await tx.db.index.findMany({ where: { collectionId, attributes: { has: key } } })) {
    await tx.db.index.update({ where: { id: index.id }, data: { attributes: index.attributes.map(rename) } })
  }
  const rules = JSON.parse(collection.rules) as { where: unknown }[]
  const newRules = rules.map((rule) => ({ ...rule, where: renameInWhere(rule.where, rename) }))
  if (rules.length > 0)
    await tx.db.collection.update({ where: { id: collectionId }, data: { rules: JSON.stringify(newRules) } })
  for (const { id, computed } of await tx.db.attribute.findMany({ where: { collectionId, computed: { not: null } } })) {
    if (computed === null || !expressionKeys(computed).has(key)) continue
    const renamed = renameInExpression(computed, key, newKey)
    if (renamed.length > expressionLimit)
      throw new Conflict(`A computed attribute uses it so often that “${newKey}” is too long.`, ['input', 'key'])
    if (!expressionKeys(renamed).has(newKey))
      throw new Conflict(`A computed attribute uses it, where “${newKey}” means something else.`, ['input', 'key'])
    await tx.db.attribute.update({ where: { id }, data: { computed: renamed } })
  }
}
