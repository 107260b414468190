/** What the command stops with, in words for whoever typed it. */
export class Failure extends Error {
  override readonly name = 'Failure'
}
