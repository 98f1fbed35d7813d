import { IGNORE } from '../../../connectors/kit/index.ts'
import type { CodesPage, FeedInfo, ReloadReport } from '../../../dashboards/server/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import { lineOfFault, readFeeds, type AnyKind, type FeedDefaults } from '../../config/index.ts'
import { connectorKinds } from '../../run/index.ts'
import { InstanceApi } from '../instance-api.ts'
import { ownOptions } from '../own-options.ts'
import { textTable } from '../text-table.ts'
import type { Command } from './command.ts'

/** Exit code where a file has a fault. */
const FAULTY = 4

const OPTIONS = ['url', 'find', 'system', 'unit', 'replace', 'by'] as const
type Own = Partial<Readonly<Record<typeof OPTIONS[number], string>>>
/** Rows that one answer brings. */
const CODES_SHOWN = 1_000

/** The feeds of a folder, and the tables of codes of those that run. */
export const feeds: Command = {
  usage: 'check DIR | list [DIR] | reload | codes FEED [--find TEXT] | map FEED CODE CONCEPT [--system S] [--unit U] [--replace yes] [--by ROLE] | remove FEED CODE [--system S] [--by ROLE]; those that ask the running instance: [--url URL] [--host X] [--http-port N]',
  summary: 'The files of --feeds. check tells every fault with file and line (exit code 4 if there are any); list shows the feeds and the kinds of connectors that there are; reload lets the running instance read its files again; codes shows a feed\'s own table there; map says what a code means (the concept ignore: it is not wanted); remove takes a code out of the table.',
  run: async args => {
    const { words: [verb = '', folder, ...more], own, config } = ownOptions(args, OPTIONS)
    const api = new InstanceApi(own.url, config)
    switch (verb) {
      case 'codes': return await codes(api, wordsOf(['FEED'], folder, more), own)
      case 'map': return await map(api, wordsOf(['FEED', 'CODE', 'CONCEPT'], folder, more), own)
      case 'remove': return await remove(api, wordsOf(['FEED', 'CODE'], folder, more), own)
    }
    if (more.length > 0) throw new LatidoError('CONFIG_INVALID', 'one folder is enough', `latido feeds ${feeds.usage}`)
    const place = folder ?? config.feeds
    switch (verb) {
      case 'check': return await check(needed(place), config)
      case 'list': return await list(place, config)
      case 'reload': return await reload(api)
      default: throw new LatidoError('CONFIG_INVALID', `feeds cannot "${verb}"`, 'say check, list, reload, codes, map or remove')
    }
  },
}

async function check (folder: string, defaults: FeedDefaults): Promise<number> {
  const { feeds: good, faults } = readFeeds(folder, await connectorKinds(folder), defaults)
  for (const { name, kind, mapping } of good) process.stdout.write(`latido: ${name}: ${kind.kind}, ${mapping.codes.size} codes, zone ${mapping.zone}\n`)
  for (const fault of faults) process.stdout.write(`latido: ${lineOfFault(fault)}\n`)
  process.stdout.write(`latido: ${faults.length === 0 ? `${good.length} feed${good.length === 1 ? '' : 's'}, no fault` : `${faults.length} fault${faults.length === 1 ? '' : 's'}`}\n`)
  return faults.length === 0 ? 0 : FAULTY
}

async function list (folder: string, defaults: FeedDefaults): Promise<number> {
  const kinds = await connectorKinds(folder)
  if (folder !== '') {
    const { feeds: good, faults } = readFeeds(folder, kinds, defaults)
    process.stdout.write(textTable([['FEED', 'CONNECTOR', 'SITE', 'ZONE', 'CODES'], ...good.map(({ name, kind, mapping }) => [name, kind.kind, mapping.site === '' ? '-' : mapping.site, mapping.zone, String(mapping.codes.size)])]))
    if (faults.length > 0) process.stdout.write(`${faults.length} fault${faults.length === 1 ? '' : 's'}: latido feeds check ${folder}\n`)
    process.stdout.write('\n')
  }
  process.stdout.write(renderKinds(kinds))
  return 0
}

async function reload (api: InstanceApi): Promise<number> {
  const { changed, refused } = await api.post<ReloadReport>('/api/feeds/reload', {})
  for (const line of refused) process.stdout.write(`latido: ${line}\n`)
  process.stdout.write(`latido: read again: ${changed.length === 0 ? 'none' : changed.join(', ')}\n`)
  return refused.length === 0 ? 0 : FAULTY
}

async function codes (api: InstanceApi, [feed = '']: readonly string[], { find = '' }: Own): Promise<number> {
  const { codes: rows, matching } = await tableOf(api, feed, find)
  process.stdout.write(textTable([['SYSTEM', 'CODE', 'CONCEPT', 'UNIT'], ...rows.map(({ system, code, concept, unit }) => [system === '' ? '-' : system, code, concept, unit === '' ? '-' : unit])]))
  process.stdout.write(`${matching} match${matching > rows.length ? `; the first ${rows.length} are shown: say --find TEXT` : ''}\n`)
  return 0
}

async function map (api: InstanceApi, [feed = '', code = '', concept = '']: readonly string[], { system = '', unit = '', replace, by }: Own): Promise<number> {
  await api.post<FeedInfo>(`${place(feed)}`, { system, code, concept, unit, ...replace === 'yes' ? { replace: true } : {}, ...by === undefined ? {} : { by } })
  process.stdout.write(`latido: ${feed}: ${code}: ${concept === IGNORE ? 'ignored from now on' : `means ${concept} from now on`}\n`)
  return 0
}

/** What it meant is asked first: of what somebody changes meanwhile nothing is taken out. */
async function remove (api: InstanceApi, [feed = '', code = '']: readonly string[], { system = '', by }: Own): Promise<number> {
  const same = (a: string, b: string): boolean => a.toUpperCase() === b.toUpperCase()
  const row = (await tableOf(api, feed, code)).codes.find(one => same(one.code, code) && same(one.system, system))
  if (row === undefined) throw new LatidoError('CONFIG_INVALID', 'the table has no such code', `"latido feeds codes ${feed}" shows it; say its --system`)
  await api.post<FeedInfo>(`${place(feed)}/remove`, { ...row, ...by === undefined ? {} : { by } })
  process.stdout.write(`latido: ${feed}: ${code}: no longer in the table (it was ${row.concept}${row.unit === '' ? '' : ` in ${row.unit}`})\n`)
  return 0
}

async function tableOf (api: InstanceApi, feed: string, find: string): Promise<CodesPage> { return await api.get<CodesPage>(`${place(feed)}?${new URLSearchParams({ find, limit: String(CODES_SHOWN) }).toString()}`) }

function place (feed: string): string { return `/api/feeds/${encodeURIComponent(feed)}/codes` }

function wordsOf (names: readonly string[], first: string | undefined, more: readonly string[]): readonly string[] {
  const words = [...first === undefined ? [] : [first], ...more]
  if (words.length !== names.length) throw new LatidoError('CONFIG_INVALID', `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} needed, and nothing else`, `latido feeds ${feeds.usage}`)
  return words
}

function renderKinds (kinds: readonly AnyKind[]): string { return textTable([['CONNECTOR', 'DOES'], ...kinds.map(({ kind, summary }) => [kind, summary])]) }

function needed (folder: string): string {
  if (folder === '') throw new LatidoError('CONFIG_INVALID', 'the folder is missing', 'latido feeds check DIR')
  return folder
}
