import { LRUCache } from 'lru-cache'
import { consoleProjectId, type Services } from '../context.ts'
import { projectSchemaChanged } from '../modules/projects/events.ts'
import { loadModel } from './load.ts'
import type { ProjectModel } from './model.ts'

/** The projects' models as this node knows them: read once, and again only after a change. */
export type Models = {
  get: (projectId: string) => Promise<ProjectModel>
  /** Tells of each change of a project's own types. Answers how to stop. */
  watch: (projectId: string, onChange: () => void) => () => void
  close: () => Promise<void>
}

const most = 1000

type Changed = { projectId: string; revision: number }

export function createModels({ sql, tails, log }: Pick<Services, 'sql' | 'tails' | 'log'>): Models {
  const models = new LRUCache<string, Promise<ProjectModel>>({ max: most })
  /** What was last read of each, to read no more of it than has changed. */
  const former = new LRUCache<string, ProjectModel>({ max: most })
  type Events = Awaited<ReturnType<typeof tails.listen>>
  const watchers = new Map<string, Set<() => void>>()
  let listening: Promise<Events> | null = null

  const tell = (projectId: string) => {
    for (const onChange of watchers.get(projectId) ?? []) onChange()
  }

  /** What was read of this revision or a later one stays. */
  const forgetBefore = async ({ projectId, revision }: Changed) => {
    const loading = models.peek(projectId)
    const compare = (model: ProjectModel) => {
      if (model.revision < revision && models.peek(projectId) === loading) models.delete(projectId)
    }
    await loading?.then(compare, () => {})
  }
  const hear = async (changed: Changed) => {
    await forgetBefore(changed)
    tell(changed.projectId)
  }
  const follow = async (events: Events) => {
    try {
      for await (const { type, payload } of events) {
        // Not waited for: while one project's model is read, which may take long, the others' changes are heard.
        if (type === projectSchemaChanged.name) void hear(payload as Changed)
      }
    } catch (error) {
      log.warn({ error }, 'the stream of schema changes broke off')
    }
    // Whoever is not told of changes must not remember: the next to ask listens again.
    listening = null
    models.clear()
    for (const projectId of watchers.keys()) tell(projectId)
  }
  const listen = async () => {
    const events = await tails.listen(consoleProjectId, null)
    void follow(events)
    return events
  }
  const load = (projectId: string) => {
    const loading = loadModel(sql, projectId, former.get(projectId))
    const forget = () => {
      if (models.peek(projectId) === loading) models.delete(projectId)
    }
    const keep = (model: ProjectModel) => {
      if (model.revision < 0) return forget()
      former.set(projectId, model)
    }
    loading.then(keep, forget)
    models.set(projectId, loading)
    return loading
  }
  const get = async (projectId: string) => {
    listening ??= listen().catch((error) => {
      listening = null
      throw error
    })
    await listening
    return models.get(projectId) ?? load(projectId)
  }
  const watch = (projectId: string, onChange: () => void) => {
    const those = watchers.get(projectId) ?? new Set()
    watchers.set(projectId, those.add(onChange))
    return () => {
      those.delete(onChange)
      if (those.size === 0 && watchers.get(projectId) === those) watchers.delete(projectId)
    }
  }
  return { get, watch, close: async () => void (await (await listening)?.return?.()) }
}
