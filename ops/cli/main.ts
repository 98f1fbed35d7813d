import { systemClock } from '../../streams/time/index.ts'
import { COMMANDS } from './commands/index.ts'
import { endOnFaults } from './end-at-once.ts'
import { lineOf } from './failure.ts'
import { helpText } from './help.ts'

const FOREVER_MS = 2 ** 31 - 1

/** `latido COMMAND ...`: finds the command, runs it, and turns an operating failure into one line and exit code 1. */
async function main (argv: readonly string[]): Promise<number> {
  const [name = 'help', ...rest] = argv
  const isAsked = name === 'help' || isHelp(name)
  const help = isAsked ? helpText(rest[0]) : rest.some(isHelp) ? helpText(name) : undefined
  if (help !== undefined) { process.stdout.write(help); return 0 }
  const command = isAsked ? undefined : COMMANDS[name]
  if (command === undefined) { process.stderr.write(`latido: there is no command "${isAsked ? rest[0] : name}"; "latido help" lists them\n`); return 1 }
  const running = new AbortController()
  void systemClock.sleep(FOREVER_MS, running.signal) // Node ends when nothing but a store's own threads is left to wait for
  try {
    return await command.run(rest)
  } catch (e) {
    process.stderr.write(`${lineOf(e)}\n`)
    return 1
  } finally {
    running.abort()
  }
}

function isHelp (word: string): boolean { return word === '--help' || word === '-h' }

endOnFaults()
process.exit(await main(process.argv.slice(2)))
