import type { Services } from '../../context.ts'

/** What the build of a deployment has made, whole; null when it is gone. */
export async function readArtefact({ sql }: Pick<Services, 'sql'>, deploymentId: string): Promise<Buffer | null> {
  const { rows } = await sql.query<{ bytes: Buffer }>(
    `select bytes from deployment_parts where "deploymentId" = $1 and kind = 'ARTEFACT' order by number`,
    [deploymentId],
  )
  return rows.length === 0 ? null : Buffer.concat(rows.map(({ bytes }) => bytes))
}
