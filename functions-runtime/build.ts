import type { Build } from './engine.ts'

/** Makes an artefact of a deployment's archive. */
export const build: Build = async () => ({ error: 'Nothing can be built on this executor yet.' })
