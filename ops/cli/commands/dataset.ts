import { buildDataset, copyDataset, listDatasets, parseReference, readDataset, removeDataset, verifyDataset, type DatasetManifest, type Lake } from '../../../features/offline/index.ts'
import type { ClickHouseOffline } from '../../../features/offline/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { parseConfig, type Config } from '../../config/index.ts'
import { isRemote, namedPatientViews, openLake, withOfflineStore } from '../../run/index.ts'
import { momentOf, ownOptions, required } from '../own-options.ts'
import type { Command } from './command.ts'
import { renderDataset, renderDatasets } from './dataset-text.ts'

const VERBS = ['build', 'create', 'list', 'show', 'verify', 'export', 'import', 'remove'] as const
/** Exit code of a check that found something wrong. */
const DIFFERENT = 4

const OWN = ['labels', 'views', 'lake', 'to', 'from', 'patient-column', 'time-column', 'zone', 'source', 'arrived-by', 'version'] as const
type Own = Partial<Readonly<Record<(typeof OWN)[number], string>>>
type Request = { readonly verb: string, readonly reference: string | undefined, readonly own: Own, readonly config: Config }

export const dataset: Command = {
  usage: 'build NAME --labels FILE --views V,... [--features DIR] [--source served|computed] [--version N] [--patient-column C] [--time-column C] [--zone Z] [--arrived-by TIME] | list | show|verify NAME[@N] | export NAME[@N] --to PLACE | import NAME[@N] --from PLACE | remove NAME@N, all with [--lake PLACE] [--data-dir DIR | --clickhouse URL]',
  summary: 'Training sets: each label with the features as they were known at its time, as Parquet files with a manifest. PLACE is a folder or the URL of an S3 store; default: lake in the data directory. verify ends with exit code 4 where a file differs. "create" is "build".',
  run: async args => {
    const request = parse(args)
    const { verb, own, config } = request
    const needsStore = verb === 'build' || verb === 'create' || [own.lake, own.to, own.from].some(isRemote)
    return needsStore ? await withOfflineStore(config, [], systemClock, store => carryOut(request, store)) : await carryOut(request, undefined)
  },
}

function parse ([verb = '', ...args]: readonly string[]): Request {
  if (!VERBS.some(v => v === verb)) throw new LatidoError('CONFIG_INVALID', `dataset cannot "${verb}"`, `say ${VERBS.join(', ')}`)
  const { words, own, config } = ownOptions(args, OWN)
  if (words.length > 1) throw new LatidoError('CONFIG_INVALID', 'dataset takes one name', 'run "latido help" for the options')
  return { verb, reference: words[0], own, config }
}

async function carryOut (request: Request, store: ClickHouseOffline | undefined): Promise<number> {
  const { verb, own, config } = request
  const lake = openLake(config, own.lake, store)
  if (verb === 'build' || verb === 'create') return await build(request, lake, store!)
  if (verb === 'list') { say(renderDatasets(await listDatasets(lake))); return 0 }
  if (request.reference === undefined) throw new LatidoError('CONFIG_INVALID', 'no data set is named', 'latido dataset list shows them')
  const { name, version } = parseReference(request.reference)
  if (verb === 'import') {
    const from = openLake(config, required(own.from, '--from'), store)
    const manifest = await readDataset(from, name, version)
    await copyDataset(from, lake, manifest)
    return told(manifest, 'imported')
  }
  const manifest = await readDataset(lake, name, version)
  switch (verb) {
    case 'show': say(renderDataset(manifest)); return 0
    case 'verify': return await verify(lake, manifest)
    case 'export': await copyDataset(lake, openLake(config, required(own.to, '--to'), store), manifest); return told(manifest, 'exported')
    default: {
      if (version === undefined) throw new LatidoError('CONFIG_INVALID', 'remove needs a version', `say ${name}@${manifest.version}`)
      await removeDataset(lake, name, version)
      return told(manifest, 'removed')
    }
  }
}

async function build ({ reference, own, config }: Request, lake: Lake, store: ClickHouseOffline): Promise<number> {
  if (reference === undefined) throw new LatidoError('CONFIG_INVALID', 'the data set has no name', 'latido dataset build NAME --labels FILE --views V,...')
  const { name, version } = parseReference(own.version === undefined ? reference : `${reference}@${own.version}`)
  const arrivedBy = own['arrived-by'] === undefined ? undefined : momentOf(own['arrived-by'], '--arrived-by')
  const manifest = await buildDataset(store.sql, lake, systemClock, {
    name, views: await namedPatientViews(config.features, required(own.views, '--views')), source: sourceOf(own.source),
    labels: { path: required(own.labels, '--labels'), ...optional('patientColumn', own['patient-column']), ...optional('timeColumn', own['time-column']), ...optional('zone', own.zone === undefined ? undefined : config.zone && zoneOf(own.zone)) },
    ...(version === undefined ? {} : { version }), ...(arrivedBy === undefined ? {} : { arrivedBy }),
  })
  return told(manifest, 'built')
}

function optional<K extends string> (name: K, value: string | undefined): { readonly [P in K]?: string } { return value === undefined ? {} : { [name]: value } as { readonly [P in K]?: string } }

function sourceOf (text: string | undefined): 'served' | 'computed' {
  if (text === undefined || text === 'served') return 'served'
  if (text === 'computed') return 'computed'
  throw new LatidoError('CONFIG_INVALID', `--source is "${text}"`, 'it is served or computed')
}

function zoneOf (text: string): string { return parseConfig(['--zone', text], {}).zone }

async function verify (lake: Lake, manifest: DatasetManifest): Promise<number> {
  const checks = await verifyDataset(lake, manifest)
  for (const { name, state } of checks) say(`${name}: ${state}\n`)
  const wrong = checks.filter(({ state }) => state !== 'same').length
  say(wrong === 0 ? `latido: ${manifest.name}@${manifest.version} is what its manifest says\n` : `latido: ${wrong} of ${checks.length} files are not those of the manifest\n`)
  return wrong === 0 ? 0 : DIFFERENT
}

function told (manifest: DatasetManifest, done: string): number {
  say(`latido: ${manifest.name}@${manifest.version} ${done}: ${manifest.rows} rows, ${manifest.columns.length} columns, ${manifest.files.length} file${manifest.files.length === 1 ? '' : 's'}\n`)
  return 0
}

function say (text: string): void { process.stdout.write(text) }
