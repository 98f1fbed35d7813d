/** One verb of the command line. */
export interface Command {
  readonly usage: string
  readonly summary: string
  /** Answers the exit code. */
  run (args: readonly string[]): Promise<number>
}
