import { exportTables, importTables, LAKE_TABLES, listTables, type LakeStretch, type LakeTable } from '../../../features/offline/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { isRemote, openLake, withOfflineStore } from '../../run/index.ts'
import { momentOf, ownOptions, required } from '../own-options.ts'
import type { Command } from './command.ts'

const TABLES = Object.keys(LAKE_TABLES) as LakeTable[]

export const lake: Command = {
  usage: `export --from TIME --to TIME [--tables ${TABLES.join(',')}] | import [--tables T,...] | list, all with [--lake PLACE] [--data-dir DIR | --clickhouse URL]`,
  summary: 'The offline store\'s tables as Parquet files with hashes, a month a file, in a folder or an S3 store: export goes on where it was stopped, import changes nothing that is there.',
  run: async ([verb = '', ...args]) => {
    const { words, own, config } = ownOptions(args, ['tables', 'from', 'to', 'lake'])
    if (!['export', 'import', 'list'].includes(verb) || words.length > 0) throw new LatidoError('CONFIG_INVALID', `lake cannot "${[verb, ...words].join(' ')}"`, 'say export, import or list')
    const tables = tablesOf(own.tables)
    if (verb === 'list' && !isRemote(own.lake)) return told(await listTables(openLake(config, own.lake, undefined)))
    const interval = verb === 'export' ? { from: momentOf(required(own.from, '--from'), '--from'), to: momentOf(required(own.to, '--to'), '--to') } : { from: 0, to: 1 }
    if (interval.from >= interval.to) throw new LatidoError('CONFIG_INVALID', '--from is not before --to', 'say the earlier moment first')
    return await withOfflineStore(config, [], systemClock, async store => {
      const place = openLake(config, own.lake, store)
      if (verb === 'list') return told(await listTables(place))
      if (verb === 'export') await exportTables(store.sql, place, systemClock, { tables, ...interval, onStretch: tell })
      else await importTables(store.sql, place, tables, tell)
      return 0
    })
  },
}

function tablesOf (text: string | undefined): readonly LakeTable[] {
  if (text === undefined) return TABLES
  return text.split(',').map(name => {
    const table = TABLES.find(t => t === name.trim())
    if (table === undefined) throw new LatidoError('CONFIG_INVALID', `there is no table "${name.trim()}" for a lake`, `choose among ${TABLES.join(', ')}`)
    return table
  })
}

function told (stretches: readonly LakeStretch[]): number {
  stretches.forEach(tell)
  if (stretches.length === 0) process.stdout.write('latido: the lake has no tables\n')
  return 0
}

function tell ({ table, from, to, rows, bytes, became }: LakeStretch): void { process.stdout.write(`${table} ${from} to ${to}: ${rows} rows, ${bytes} bytes, ${became}\n`) }
