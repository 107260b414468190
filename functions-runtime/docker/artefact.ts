import { Readable } from 'node:stream'
import { checkArchive } from '../build/archive.ts'
import { BuildFailed } from '../build/failure.ts'

/**
 * A built folder comes out of a container, where the function's own build could have put anything in its place. It is looked
 * through like an archive from outside before an engine unpacks it. Throws BuildFailed.
 */
export async function checkBuilt(artefact: Buffer): Promise<Buffer> {
  try {
    await checkArchive(Readable.from([artefact]))
    return artefact
  } catch (error) {
    if (error instanceof BuildFailed) throw new BuildFailed(`The built folder cannot be used. ${error.message}`)
    throw error
  }
}
