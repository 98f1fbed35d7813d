import type { LetterInfo, LetterPage, RetryRound } from '../../../dashboards/server/index.ts'
import { textTable } from '../text-table.ts'

const at = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z')
const orDash = (text: string): string => text === '' ? '-' : text

/** `feeds`: those that have letters. */
export type ListedLetters = LetterPage & { readonly feeds: readonly string[] }

export function renderLetters ({ letters, matching, next, feeds }: ListedLetters, feed?: string): string {
  if (letters.length === 0) return feed === undefined || feeds.includes(feed) ? 'no dead letters\n' : `no dead letters: no feed "${feed}" has any; ${feeds.length === 0 ? 'nor has another' : `there are some of ${feeds.join(', ')}`}\n`
  const rows = letters.map(({ offset, refusedAt, cause, feed, state, attempts, detail }) => [String(offset), at(refusedAt), cause, orDash(feed), attempts === 0 ? state : `${state} (${attempts} tried)`, detail])
  return `${textTable([['OFFSET', 'REFUSED', 'CAUSE', 'FEED', 'STATE', 'WHERE'], ...rows])}${matching} match${next === null ? '' : `; older ones: --after ${next}`}\n`
}

export function renderLetter (letter: LetterInfo): string {
  const { offset, cause, detail, source, feed, refusedAt, bytes, partition, position, state, retryable, attempts, last } = letter
  return textTable([
    ['offset', String(offset)], ['cause', cause], ['where', detail], ['source', source], ['feed', feed === '' ? '- (it cannot be retried)' : retryable || state !== 'open' ? feed : `${feed} (not running here)`], ['refused', at(refusedAt)], ['bytes', `${bytes}, sealed`],
    ...partition < 0 ? [] : [['met at', `partition ${partition}, offset ${position}`]], ['state', state], ['tried', String(attempts)],
    ...last === null ? [] : [['last', `${last.action} by ${last.by} at ${at(last.at)}: ${last.outcome}${last.cause === '' ? '' : ` (${last.cause}: ${last.detail})`}${last.cause === '' && last.detail !== '' ? ` (${last.detail})` : ''}`]],
  ])
}

export function renderOutcome ({ offset, last }: LetterInfo): string {
  if (last === null) return `latido: ${offset}: nothing was done\n`
  switch (last.outcome) {
    case 'published': return `latido: ${offset}: it is on the log now\n`
    case 'duplicate': return `latido: ${offset}: ${last.detail === '' ? 'the log had it already' : last.detail}\n`
    case 'archived': return `latido: ${offset}: taken; it carries nothing that is computed with\n`
    case 'dropped': return `latido: ${offset}: dropped\n`
    default: return `latido: ${offset}: refused again, and still open: ${last.cause} (${last.detail})\n`
  }
}

export function renderRound ({ tried, published, duplicate, archived, refused, left }: RetryRound): string {
  return `latido: ${tried} tried: ${published} on the log now, ${duplicate} known already, ${archived} archived, ${refused} refused again${left === 0 ? '' : `; ${left} more match`}\n`
}
