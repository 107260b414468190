/** Whether more than one project has asked for something of late. */
export type Neighbours = { note: (projectId: string) => void; ask: () => boolean }

export function createNeighbours(recentMs: number): Neighbours {
  let latest = { projectId: '', at: 0 }
  let another = latest
  const note = (projectId: string) => {
    if (latest.projectId !== projectId) {
      another = latest
      latest = { projectId, at: 0 }
    }
    latest.at = performance.now()
  }
  return { note, ask: () => another.at > 0 && performance.now() - another.at < recentMs }
}
