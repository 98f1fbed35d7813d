/** The commands, by name. */
import { backfillCommand } from './backfill.ts'
import type { Command } from './command.ts'
import { connector } from './connector.ts'
import { dataset } from './dataset.ts'
import { deadletter } from './deadletter.ts'
import { features } from './features.ts'
import { feeds } from './feeds.ts'
import { importCommand } from './import.ts'
import { online } from './online.ts'
import { lake } from './lake.ts'
import { replay } from './replay.ts'
import { serveFeatures } from './serve-features.ts'
import { skew } from './skew.ts'
import { start } from './start.ts'
import { state } from './state.ts'
import { topics } from './topics.ts'

export const COMMANDS: Readonly<Record<string, Command>> = { start, features, 'serve-features': serveFeatures, replay, import: importCommand, topics, state, dataset, lake, online, skew, backfill: backfillCommand, connector, feeds, deadletter }
