import { parseArgs } from 'node:util'
import { LatidoError, messageOf } from '../../streams/errors/index.ts'
import type { ArrivalTimeMs } from '../../streams/time/index.ts'
import { CONFIG_OPTIONS, parseConfig, type Config } from '../config/index.ts'

export interface OwnOptions<Name extends string> { readonly words: readonly string[], readonly own: Partial<Readonly<Record<Name, string>>>, readonly config: Config }

/** Words, a command's own options, and those of `start`. Throws CONFIG_INVALID. */
export function ownOptions<Name extends string> (args: readonly string[], names: readonly Name[]): OwnOptions<Name> {
  const flags = Object.keys(CONFIG_OPTIONS).map(name => name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`))
  const { values, positionals } = read(args, Object.fromEntries([...flags, ...names].map(name => [name, { type: 'string' as const }])))
  const isOwn = (name: string): boolean => (names as readonly string[]).includes(name)
  const own = Object.fromEntries(Object.entries(values).filter(([name]) => isOwn(name))) as OwnOptions<Name>['own']
  return { words: positionals, own, config: parseConfig(Object.entries(values).filter(([name]) => !isOwn(name)).flatMap(([name, value]) => [`--${name}`, String(value)]), process.env) }
}

function read (args: readonly string[], options: Readonly<Record<string, { readonly type: 'string' }>>): { readonly values: Readonly<Record<string, unknown>>, readonly positionals: readonly string[] } {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options })
  } catch (e) {
    throw new LatidoError('CONFIG_INVALID', firstSentence(messageOf(e)), 'run "latido help COMMAND" for the options', e)
  }
}

/** Of what Node says of an option: its advice on words that begin with a dash is nobody's concern here. */
function firstSentence (text: string): string { return text.split(/\.\s|\n/)[0]!.replace(/\.$/, '') }

/** A moment as an option: ISO 8601 with its zone. Throws CONFIG_INVALID. */
export function momentOf (text: string, option: string): ArrivalTimeMs {
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : NaN
  if (Number.isNaN(ms)) throw new LatidoError('CONFIG_INVALID', `${option} is "${text}", which is no time with a zone`, 'write 2026-11-22T08:00:00Z or 2026-11-22T09:00:00+01:00')
  return ms
}

/** The value of an option that must be given. */
export function required (value: string | undefined, option: string): string {
  if (value === undefined || value === '') throw new LatidoError('CONFIG_INVALID', `${option} is missing`, 'run "latido help" for the options')
  return value
}
