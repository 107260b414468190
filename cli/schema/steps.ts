/** What changes a schema, one thing at a time. Names, no ids: the same steps fit another project of the same schema. */
import type { Shape } from './shape.ts'

export type Step =
  | { do: 'createDatabase'; database: string; name?: string }
  | { do: 'updateDatabase'; database: string; name: string }
  | { do: 'deleteDatabase'; database: string }
  | {
      do: 'createCollection'
      collection: string
      settings: Shape
      attributes: Readonly<Record<string, Shape>>
      indexes: Readonly<Record<string, Shape>>
    }
  | { do: 'renameCollection'; collection: string; to: string }
  | { do: 'updateCollection'; collection: string; set: Shape }
  | { do: 'deleteCollection'; collection: string }
  | { do: 'createAttribute'; collection: string; attribute: string; shape: Shape }
  | { do: 'renameAttribute'; collection: string; attribute: string; to: string }
  | { do: 'updateAttribute'; collection: string; attribute: string; set: Shape }
  | { do: 'deleteAttribute'; collection: string; attribute: string }
  | { do: 'createIndex'; collection: string; index: string; shape: Shape }
  | { do: 'deleteIndex'; collection: string; index: string }

export type StepOf<Kind extends Step['do']> = Extract<Step, { do: Kind }>

/** Whether data is gone after it. */
export function destroys(step: Step): step is StepOf<'deleteCollection' | 'deleteAttribute'> {
  return step.do === 'deleteCollection' || step.do === 'deleteAttribute'
}

/** A line for people: `+` creates, `~` changes, `-` deletes. */
export function describeStep(step: Step): string {
  switch (step.do) {
    case 'createDatabase':
      return `+ database ${step.database}`
    case 'updateDatabase':
      return `~ database ${step.database}: name ${JSON.stringify(step.name)}`
    case 'deleteDatabase':
      return `- database ${step.database}`
    case 'createCollection': {
      const parts = [...Object.keys(step.attributes), ...Object.keys(step.indexes).map((key) => `index ${key}`)]
      return `+ collection ${step.collection}${parts.length > 0 ? ` (${parts.join(', ')})` : ''}`
    }
    case 'renameCollection':
      return `~ collection ${step.collection} → ${step.to}`
    case 'updateCollection':
      return `~ collection ${step.collection}: ${describeShape(step.set)}`
    case 'deleteCollection':
      return `- collection ${step.collection}`
    case 'createAttribute':
      return `+ attribute ${step.collection}.${step.attribute}: ${describeShape(step.shape)}`
    case 'renameAttribute':
      return `~ attribute ${step.collection}.${step.attribute} → ${step.to}`
    case 'updateAttribute':
      return `~ attribute ${step.collection}.${step.attribute}: ${describeShape(step.set)}`
    case 'deleteAttribute':
      return `- attribute ${step.collection}.${step.attribute}`
    case 'createIndex':
      return `+ index ${step.collection}.${step.index}: ${describeShape(step.shape)}`
    case 'deleteIndex':
      return `- index ${step.collection}.${step.index}`
  }
}

function describeShape(shape: Shape): string {
  return Object.entries(shape)
    .map(([name, value]) => (name === 'type' ? String(value) : `${name} ${JSON.stringify(value)}`))
    .join(', ')
}
