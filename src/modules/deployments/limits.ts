const mb = 1024 * 1024

export const deploymentLimits = {
  /** Bytes of an archive. */
  sourceBytes: 50 * mb,
  /** Bytes of a function of one file that is given as text. */
  inlineBytes: 256 * 1024,
  /** Bytes of a piece in the database. */
  partBytes: mb,
  /** Uploads of a project that are under way. */
  uploads: 10,
  /** Bytes of all archives and artefacts of a project. */
  projectBytes: 2_000 * mb,
  /** Deployments of a function that are waiting or being built. */
  waiting: 10,
  /** Deployments of a function that are kept besides the one that is run: of those that are ready, and of those that failed. */
  kept: 10,
  /** Characters of a build's log. */
  logCharacters: 64 * 1024,
  buildMs: 5 * 60_000,
  /** After so long without a byte an upload is given up. */
  uploadHours: 24,
} as const
