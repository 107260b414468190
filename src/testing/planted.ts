/**
 * Bugs that the fault tests plant to show that they would find them. Each lives in the code of the tests alone, which
 * production never imports (`no-test-code-in-production` in .dependency-cruiser.ts).
 *
 * `publish-after-commit`: the API commits and then publishes on Redis, instead of writing the event with the change.
 */
export const plantedBugs = ['publish-after-commit'] as const

export type PlantedBug = (typeof plantedBugs)[number]

/** Reads the switch. Outside of tests there is none to read. */
export function readPlantedBug(name: string | undefined, nodeEnv = process.env.NODE_ENV): PlantedBug | null {
  if (!name) return null
  if (nodeEnv !== 'test') throw new Error('A bug can be planted only where NODE_ENV is "test".')
  const bug = plantedBugs.find((known) => known === name)
  if (!bug) throw new Error(`There is no bug "${name}" to plant. There are: ${plantedBugs.join(', ')}.`)
  return bug
}
