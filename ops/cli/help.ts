import { COMMANDS } from './commands/index.ts'

/** All commands, or the one of that name; undefined: there is none of that name. */
export function helpText (name?: string): string | undefined {
  const chosen = Object.entries(COMMANDS).filter(([one]) => name === undefined || one === name)
  if (chosen.length === 0) return undefined
  const lines = chosen.map(([one, { usage, summary }]) => `  latido ${usage === '' ? one : `${one} ${usage}`}\n      ${summary}`)
  return `${name === undefined ? 'Latido: streams, features and alerts for the bedside\n\n' : ''}${lines.join('\n')}\n${name === undefined ? '\n"latido help COMMAND" tells of one alone.\n' : ''}`
}
