import { isLatidoError, messageOf } from '../../streams/errors/index.ts'
import { COMMANDS } from './commands/index.ts'
import { helpText } from './help.ts'

/** `latido COMMAND ...`: finds the command, runs it, and turns an operating failure into one line and exit code 1. */
async function main (argv: readonly string[]): Promise<number> {
  const [name = 'help', ...rest] = argv
  if (name === 'help' || name === '--help' || name === '-h') { process.stdout.write(helpText()); return 0 }
  const command = COMMANDS[name]
  if (command === undefined) { process.stderr.write(`latido: there is no command "${name}"; "latido help" lists them\n`); return 1 }
  try {
    return await command.run(rest)
  } catch (e) {
    process.stderr.write(isLatidoError(e) ? `latido: ${e.message}: ${e.action} [${e.code}]\n` : `latido: ${e instanceof Error ? e.stack ?? e.message : messageOf(e)}\n`)
    return 1
  }
}

process.exit(await main(process.argv.slice(2)))
