import { LatidoError, messageOf } from '../../../streams/errors/index.ts'
import { foreignData } from './rows.ts'

/** What a client cannot mend by asking again at once, by the first word of Redis's answer. */
const AWAY: ReadonlySet<string> = new Set(['LOADING', 'BUSY', 'CLUSTERDOWN', 'MASTERDOWN', 'TRYAGAIN', 'NOMASTERLINK'])
const NO_WRITES: ReadonlySet<string> = new Set(['READONLY', 'MISCONF', 'NOREPLICAS'])

/** The text of a connection's failure names an address, and never what was asked. */
export function unavailable (where: string, cause: unknown): LatidoError {
  return new LatidoError('ONLINE_UNAVAILABLE', `the Redis of the online store at ${where} does not answer: ${reasonOf(cause)}`, 'look at the Redis server and at the network to it; it is asked again by itself', cause)
}

function reasonOf (cause: unknown): string {
  const inner = cause instanceof AggregateError ? cause.errors[0] as unknown : cause
  return messageOf(inner) || (inner as { code?: string }).code || 'no reason given'
}

export function readOnly (where: string, why: string, cause?: unknown): LatidoError {
  return new LatidoError('ONLINE_READ_ONLY', `the Redis at ${where} takes no writes: ${why}`, 'give --redis the primary, or let its name point there; MISCONF: its own log says why it cannot save', cause)
}

/** An answer of Redis that is a refusal, as an error of ours. It holds Redis's words only where they cannot hold a key. */
export function refusalOf (where: string, reply: Error): LatidoError {
  const text = reply.message
  const word = text.split(' ', 1)[0]!
  if (AWAY.has(word) || text.includes('max number of clients')) return unavailable(where, new Error(word === 'ERR' ? 'it has as many clients as it allows' : word))
  if (NO_WRITES.has(word)) return readOnly(where, word === 'READONLY' ? 'it is a replica' : word, reply)
  if (word === 'OOM') return new LatidoError('ONLINE_FULL', `the Redis at ${where} has no memory left for more (OOM, maxmemory)`, 'raise maxmemory, or take away what else it holds; keep maxmemory-policy noeviction', reply)
  if (word === 'WRONGTYPE') return foreignData('a key of another type', reply)
  if (word === 'LATIDOFORM') return foreignData('a value has a form that this version does not know', reply)
  if (word === 'MOVED') return denied(where, 'it is a node of a cluster, and its user may not say so (INFO)', 'allow INFO to the user', reply)
  if (word === 'DENIED') return denied(where, 'protected mode: it has no password and takes connections of its own machine only', 'give Redis a password (ACL) and TLS', reply)
  if (word === 'NOAUTH') return denied(where, 'it wants a password', 'give --redis-password-file, and --redis-user for an ACL user', reply)
  if (word === 'WRONGPASS' || text.includes('invalid password') || text.includes('without any password configured')) return denied(where, 'wrong user or password', 'check --redis-user and the file of --redis-password-file', reply)
  if (word === 'NOPERM') return denied(where, `its user may not ${/run the '[^']+' command/.exec(text)?.[0] ?? 'use these keys'}`, 'give the user what docs/redis.md lists', reply)
  return denied(where, `it refused a command (${text.split(', with args', 1)[0]!.slice(0, 100)})`, 'docs/redis.md says which Redis is needed', reply)
}

function denied (where: string, why: string, action: string, cause: unknown): LatidoError { return new LatidoError('ONLINE_DENIED', `the Redis at ${where} refuses Latido: ${why}`, action, cause) }
