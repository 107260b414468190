/** Why there is no artefact, in words for those who own the function. */
export class BuildFailed extends Error {
  override readonly name = 'BuildFailed'
}
