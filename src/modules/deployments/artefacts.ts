import type { Services } from '../../context.ts'
import { readWhole } from './parts.ts'

/** What the build of a deployment has made, whole; null when it is gone. */
export function readArtefact(services: Pick<Services, 'sql'>, deploymentId: string): Promise<Buffer | null> {
  return readWhole(services, deploymentId, 'ARTEFACT')
}
