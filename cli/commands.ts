import type { Command } from './command.ts'
import { schemaDiff, schemaPull, schemaPush } from './schema/commands.ts'
import { migrationApply, migrationNew, migrationPlan, migrationRollback, migrationStatus } from './schema/migrations.ts'

/** Every command there is. */
export const commands: readonly Command[] = [
  schemaPull,
  schemaDiff,
  schemaPush,
  migrationNew,
  migrationPlan,
  migrationApply,
  migrationRollback,
  migrationStatus,
]
