import type { Again } from '../implement.ts'

/**
 * So many runs of one project at a time. What finds no place comes again: a little later each time, so that a project with
 * many waiting does not keep the queue busy with asking.
 */
export function createPlaces({ most, againAfterMs }: { most: number; againAfterMs: number }) {
  const running = new Map<string, { taken: number; refused: number }>()
  return {
    take: async (projectId: string, now: Date, work: () => Promise<Again | undefined>): Promise<Again | undefined> => {
      const project = running.get(projectId) ?? { taken: 0, refused: 0 }
      if (project.taken >= most) {
        project.refused += 1
        return { again: new Date(now.getTime() + againAfterMs * (1 + Math.min(project.refused / most, 40))) }
      }
      project.taken += 1
      running.set(projectId, project)
      try {
        return await work()
      } finally {
        project.taken -= 1
        project.refused = Math.max(0, project.refused - 1)
        if (project.taken === 0) running.delete(projectId)
      }
    },
  }
}
