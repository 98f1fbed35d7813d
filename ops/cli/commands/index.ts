/** The commands, by name. */
import { replay } from './replay.ts'
import { start } from './start.ts'

export interface Command {
  readonly usage: string
  readonly summary: string
  /** Answers the exit code. */
  run (args: readonly string[]): Promise<number>
}

export const COMMANDS: Readonly<Record<string, Command>> = { start, replay }
