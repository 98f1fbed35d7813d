import type { DropRound, LetterInfo, LetterPage, RetryRound } from '../../../dashboards/server/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import { InstanceApi } from '../instance-api.ts'
import { ownOptions } from '../own-options.ts'
import type { Command } from './command.ts'
import { renderLetter, renderLetters, renderOutcome, renderRound, type ListedLetters } from './deadletter-text.ts'

const OPTIONS = ['url', 'cause', 'feed', 'state', 'after', 'limit', 'raw', 'by'] as const
type Own = Partial<Readonly<Record<typeof OPTIONS[number], string>>>

/** Exit code where a letter was refused again. */
const REFUSED = 4

/** Dead letters, at the running instance: the feeds that can read them again live there. */
export const deadletter: Command = {
  usage: 'list [--cause C] [--feed F] [--state open|retried|dropped|all] [--after OFFSET] [--limit N] | show OFFSET [--raw yes] | retry OFFSET [--by ROLE] | retry [--cause C] [--feed F] [--limit N] [--by ROLE] | drop OFFSET [--by ROLE] | drop [--cause C] [--feed F] [--limit N] [--by ROLE]; all: [--url URL] [--host X] [--http-port N]',
  summary: 'What was refused, at the running instance. list: newest first; show: one, with --raw yes its bytes (they may name a patient); retry: gives bytes to their feed again (exit code 4 if something was refused again); drop: closes a letter that nobody wants; without an offset it says how many match, and with --limit drops that many, oldest first.',
  run: async args => {
    const { words: [verb = '', offset, ...more], own, config } = ownOptions(args, OPTIONS)
    if (more.length > 0) throw new LatidoError('CONFIG_INVALID', 'one offset is enough', `latido deadletter ${deadletter.usage}`)
    const api = new InstanceApi(own.url, config)
    const by = own.by === undefined ? {} : { by: own.by }
    switch (verb) {
      case 'list': process.stdout.write(renderLetters(await api.get<ListedLetters>(`/api/deadletters?${query(own)}`), own.feed)); return 0
      case 'show': return await show(api, offsetOf(offset), own.raw === 'yes')
      case 'retry': return offset === undefined ? await retryAll(api, own, by) : told(await api.post<LetterInfo>(`/api/deadletters/${offsetOf(offset)}/retry`, by))
      case 'drop': return offset === undefined ? await dropAll(api, own, by) : told(await api.post<LetterInfo>(`/api/deadletters/${offsetOf(offset)}/drop`, by))
      default: throw new LatidoError('CONFIG_INVALID', verb === '' ? 'what is to be done is missing' : `deadletter cannot "${verb}"`, 'say list, show, retry or drop; "latido help deadletter" explains each')
    }
  },
}

async function show (api: InstanceApi, offset: number, raw: boolean): Promise<number> {
  if (raw) process.stdout.write(await api.bytes(`/api/deadletters/${offset}?raw=1`))
  else process.stdout.write(renderLetter(await api.get<LetterInfo>(`/api/deadletters/${offset}`)))
  return 0
}

async function retryAll (api: InstanceApi, { cause, feed, limit }: Own, by: object): Promise<number> {
  const round = await api.post<RetryRound>('/api/deadletters/retry', { ...cause === undefined ? {} : { cause }, ...feed === undefined ? {} : { feed }, ...limit === undefined ? {} : { limit: Number(limit) }, ...by })
  process.stdout.write(renderRound(round))
  return round.refused === 0 ? 0 : REFUSED
}

/** Nothing is dropped before the caller has said how many. */
async function dropAll (api: InstanceApi, { cause, feed, limit }: Own, by: object): Promise<number> {
  const filter = { ...cause === undefined ? {} : { cause }, ...feed === undefined ? {} : { feed } }
  if (limit === undefined) {
    const { matching } = await api.get<LetterPage>(`/api/deadletters?${new URLSearchParams({ ...filter, limit: '1' }).toString()}`)
    process.stdout.write(`latido: ${matching} open letters match${matching === 0 ? '' : `; nothing was dropped: to drop them say --limit ${matching}`}\n`)
    return 0
  }
  const { dropped, left } = await api.post<DropRound>('/api/deadletters/drop', { ...filter, limit: Number(limit), ...by })
  process.stdout.write(`latido: ${dropped} dropped${left === 0 ? '' : `; ${left} more match`}\n`)
  return 0
}

function told (letter: LetterInfo): number {
  process.stdout.write(renderOutcome(letter))
  return letter.last?.outcome === 'refused' ? REFUSED : 0
}

function query ({ cause, feed, state, after, limit }: Own): string {
  return new URLSearchParams(Object.entries({ cause, feed, state, after, limit }).filter((entry): entry is [string, string] => entry[1] !== undefined)).toString()
}

function offsetOf (text: string | undefined): number {
  if (text === undefined || !/^\d{1,15}$/.test(text)) throw new LatidoError('CONFIG_INVALID', 'an offset is missing, or is no number', '"latido deadletter list" shows the offsets')
  return Number(text)
}
