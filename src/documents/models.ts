import { LRUCache } from 'lru-cache'
import { consoleProjectId, type Services } from '../context.ts'
import { projectSchemaChanged } from '../modules/projects/events.ts'
import { loadModel } from './load.ts'
import type { ProjectModel } from './model.ts'

/** The projects' models as this node knows them: read once, and again only after a change. */
export type Models = {
  get: (projectId: string) => Promise<ProjectModel>
  close: () => Promise<void>
}

const most = 1000

type Changed = { projectId: string; revision: number }

export function createModels({ sql, tails, log }: Pick<Services, 'sql' | 'tails' | 'log'>): Models {
  const models = new LRUCache<string, Promise<ProjectModel>>({ max: most })
  /** What was last read of each, to read no more of it than has changed. */
  const former = new LRUCache<string, ProjectModel>({ max: most })
  type Events = Awaited<ReturnType<typeof tails.listen>>
  let listening: Promise<Events> | null = null

  /** What was read of this revision or a later one stays. */
  const forgetBefore = ({ projectId, revision }: Changed) => {
    const loading = models.peek(projectId)
    const compare = (model: ProjectModel) => {
      if (model.revision < revision && models.peek(projectId) === loading) models.delete(projectId)
    }
    loading?.then(compare, () => {})
  }
  const follow = async (events: Events) => {
    try {
      for await (const { type, payload } of events) {
        if (type === projectSchemaChanged.name) forgetBefore(payload as Changed)
      }
    } catch (error) {
      log.warn({ error }, 'the stream of schema changes broke off')
    }
    // Whoever is not told of changes must not remember: the next to ask listens again.
    listening = null
    models.clear()
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
  return { get, close: async () => void (await (await listening)?.return?.()) }
}
