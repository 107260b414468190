import type { Command } from './command.ts'
import { functionsList } from './functions/list.ts'
import { functionsLogs } from './functions/logs.ts'
import { functionsPull } from './functions/pull.ts'
import { functionsPush } from './functions/push.ts'
import { schemaDiff, schemaPull, schemaPush } from './schema/commands.ts'
import { migrationApply, migrationNew, migrationPlan, migrationRollback, migrationStatus } from './schema/migrations.ts'
import { schemaPrint } from './schema/sdl.ts'
import { exportCommand } from './transfer/export.ts'
import { importCommand } from './transfer/import.ts'

/** Every command there is. */
export const commands: readonly Command[] = [
  schemaPull,
  schemaDiff,
  schemaPush,
  schemaPrint,
  migrationNew,
  migrationPlan,
  migrationApply,
  migrationRollback,
  migrationStatus,
  exportCommand,
  importCommand,
  functionsPull,
  functionsPush,
  functionsList,
  functionsLogs,
]
