import type { ReloadReport } from '../../../dashboards/server/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import { lineOfFault, readFeeds, type AnyKind } from '../../config/index.ts'
import { connectorKinds } from '../../run/index.ts'
import { InstanceApi } from '../instance-api.ts'
import { ownOptions } from '../own-options.ts'
import { textTable } from '../text-table.ts'
import type { Command } from './command.ts'

/** Exit code where a file has a fault. */
const FAULTY = 4

/** The feeds of a folder. */
export const feeds: Command = {
  usage: 'check DIR | list [DIR] | reload [--url URL] [--host X] [--http-port N]',
  summary: 'The files of --feeds. check tells every fault with file and line (exit code 4 if there are any); list shows the feeds and the kinds of connectors that there are; reload lets the running instance read its files again.',
  run: async args => {
    const { words: [verb = '', folder, ...more], own, config } = ownOptions(args, ['url'])
    if (more.length > 0) throw new LatidoError('CONFIG_INVALID', 'one folder is enough', `latido feeds ${feeds.usage}`)
    const place = folder ?? config.feeds
    switch (verb) {
      case 'check': return await check(needed(place), config.zone)
      case 'list': return await list(place, config.zone)
      case 'reload': return await reload(new InstanceApi(own.url, config))
      default: throw new LatidoError('CONFIG_INVALID', `feeds cannot "${verb}"`, 'say check, list or reload')
    }
  },
}

async function check (folder: string, zone: string): Promise<number> {
  const { feeds: good, faults } = readFeeds(folder, await connectorKinds(folder), { zone })
  for (const { name, kind, mapping } of good) process.stdout.write(`latido: ${name}: ${kind.kind}, ${mapping.codes.size} codes, zone ${mapping.zone}\n`)
  for (const fault of faults) process.stdout.write(`latido: ${lineOfFault(fault)}\n`)
  process.stdout.write(`latido: ${faults.length === 0 ? `${good.length} feed${good.length === 1 ? '' : 's'}, no fault` : `${faults.length} fault${faults.length === 1 ? '' : 's'}`}\n`)
  return faults.length === 0 ? 0 : FAULTY
}

async function list (folder: string, zone: string): Promise<number> {
  const kinds = await connectorKinds(folder)
  if (folder !== '') {
    const { feeds: good, faults } = readFeeds(folder, kinds, { zone })
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

function renderKinds (kinds: readonly AnyKind[]): string { return textTable([['CONNECTOR', 'DOES'], ...kinds.map(({ kind, summary }) => [kind, summary])]) }

function needed (folder: string): string {
  if (folder === '') throw new LatidoError('CONFIG_INVALID', 'the folder is missing', 'latido feeds check DIR')
  return folder
}
