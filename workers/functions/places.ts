import type { Again } from '../implement.ts'

/** How many runs there are at a time: in all, and of one project. */
type Limits = { all: number; most: number; againAfterMs: number }

/**
 * So many runs of one project at a time, and at most half as many as there are places left: a run may take a quarter of an hour,
 * and whoever comes next finds a place all the same. What finds none comes again: a little later each time, so that a project
 * with many waiting does not keep the queue busy with asking.
 */
export function createPlaces({ all, most, againAfterMs }: Limits) {
  const projects = new Map<string, { taken: number; refused: number }>()
  let left = all
  return {
    take: async (projectId: string, now: Date, work: () => Promise<Again | undefined>): Promise<Again | undefined> => {
      const project = projects.get(projectId) ?? { taken: 0, refused: 0 }
      if (project.taken >= most || project.taken >= left / 2) {
        project.refused += 1
        projects.set(projectId, project)
        return { again: new Date(now.getTime() + againAfterMs * (1 + Math.min(project.refused / most, 40))) }
      }
      project.taken += 1
      left -= 1
      projects.set(projectId, project)
      try {
        return await work()
      } finally {
        project.taken -= 1
        left += 1
        project.refused = Math.max(0, project.refused - 1)
        if (project.taken === 0) projects.delete(projectId)
        // Those who were refused while others had all, and have not come again.
        if (left === all) projects.clear()
      }
    },
  }
}
