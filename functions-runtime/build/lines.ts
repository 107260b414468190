/** Tells whoever waits for a build how it goes. */
export type Tell = (text: string, level?: 'log' | 'error') => void
