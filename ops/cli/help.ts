import { COMMANDS } from './commands/index.ts'

export function helpText (): string {
  const lines = Object.entries(COMMANDS).map(([name, { usage, summary }]) => `  latido ${usage === '' ? name : `${name} ${usage}`}\n      ${summary}`)
  return `Latido: streams, features and alerts for the bedside\n\n${lines.join('\n')}\n`
}
