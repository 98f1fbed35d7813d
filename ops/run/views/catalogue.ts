import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { catalogueOf, type CatalogueSource, type CatalogueView, type Finding, lintViews, planSummary, type PlanSummary } from '../../../features/catalogue/index.ts'
import { type FeatureView, viewKey } from '../../../features/define/index.ts'
import { checkTypes, type LoadedView } from '../../../features/files/index.ts'
import { planViewSet, type PublishedViews, ViewAliases, type ViewRecord } from '../../../features/published/index.ts'
import { featuresProcessorName } from '../../../features/processor.ts'
import { PRODUCT_VIEWS, STANDARD_VIEWS } from '../../../features/views/index.ts'
import { snapshotTopic } from '../../../streams/engine/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import { TOPICS, topicSpecs } from '../../../streams/events/index.ts'
import { type Log, openEmbeddedLog, openKafkaLog } from '../../../streams/log/index.ts'
import type { Clock } from '../../../streams/time/index.ts'
import type { Config } from '../../config/index.ts'
import { Closers } from '../closers.ts'
import { openDataDir } from '../data-dir.ts'
import { definedViews, loadOwnViews } from './defined-views.ts'
import { dependentsOf } from './dependents.ts'
import { clusterTopics, kafkaOptionsOf, prefixedLog } from '../log/index.ts'
import { appendViewRecords, isEmptyLog, readPublished, type ViewSet } from './view-set.ts'

/** The catalogue of what is defined, and where `registry` says so of what is published and not defined any more. */
export async function readCatalogue (config: Pick<Config, 'features' | 'model'>, registry: PublishedViews | undefined): Promise<readonly CatalogueView[]> {
  const own = await loadOwnViews(config.features)
  const standard = PRODUCT_VIEWS
  const defined = [...standard, ...own.map(({ view }) => view)]
  const before = (registry?.all() ?? []).filter(({ state, definition }) => state !== 'retired' && !defined.some(view => viewKey(view) === viewKey(definition))).map(({ definition }) => definition)
  const all = [...defined, ...before]
  const stateOf = (view: FeatureView): CatalogueView['state'] => registry === undefined ? 'unknown' : registry.get(view)?.state ?? 'unpublished'
  const aliases = new ViewAliases(all, all.filter(view => stateOf(view) !== 'building').map(viewKey))
  return catalogueOf(all.map((view): CatalogueSource => {
    const place = own.find(one => one.view === view)
    return { view, origin: standard.some(({ name }) => name === view.name) ? 'standard' : 'own', ...placeOf(place), state: stateOf(view), served: aliases.versionOf(view.name) === view.version }
  }), await dependentsOf(config.model, { standard, own: own.map(({ view }) => view) }))
}

function placeOf (place: LoadedView | undefined): Pick<CatalogueSource, 'file' | 'line' | 'lineOf'> {
  return place === undefined ? {} : { file: place.file, line: place.line, lineOf: place.lineOf }
}

/** The catalogue of a running instance. */
export async function runningCatalogue (set: ViewSet, model: string, places: readonly LoadedView[]): Promise<() => readonly CatalogueView[]> {
  const own = places.map(({ view }) => viewKey(view))
  const dependents = await dependentsOf(model, { standard: set.views.filter(view => !own.includes(viewKey(view))), own: places.map(({ view }) => view) })
  const standard = new Set(PRODUCT_VIEWS.map(({ name }) => name))
  return () => catalogueOf(set.views.map((view): CatalogueSource => {
    const place = places.find(p => viewKey(p.view) === viewKey(view))
    return { view, origin: standard.has(view.name) ? 'standard' : 'own', ...placeOf(place), state: set.aliases.isLive(view) ? 'live' : 'building', served: set.aliases.versionOf(view.name) === view.version }
  }), dependents)
}

export interface LintReport { readonly findings: readonly Finding[], readonly typesChecked: boolean, readonly typesWhy: string }

/** What is doubtful in the user's views (in the product's, where there is no folder), and what TypeScript says of the folder. */
export async function lintCatalogue (config: Pick<Config, 'features' | 'model'>): Promise<LintReport> {
  const own = await loadOwnViews(config.features)
  const standard = PRODUCT_VIEWS
  const dependents = await dependentsOf(config.model, { standard, own: own.map(({ view }) => view) })
  const by = ({ name, version }: { readonly name: string, readonly version: number }): readonly string[] => dependents.filter(d => d.view === name && d.version === version).map(d => d.by)
  if (config.features === '') return { findings: lintViews(standard.map(view => ({ view, dependents: by(view) }))), typesChecked: false, typesWhy: 'no --features' }
  const types = await checkTypes(config.features)
  const faults = types.kind === 'checked' ? types.faults.map(({ file, line, message }): Finding => ({ kind: 'types', view: '', feature: null, message, file, line })) : []
  return { findings: [...faults, ...lintViews(own.map(one => ({ ...one, dependents: by(one.view) })))], typesChecked: types.kind === 'checked', typesWhy: types.kind === 'checked' ? '' : types.why }
}

/** What the views keep of a key: those of the product, those of the folder. */
export async function planCatalogue (config: Pick<Config, 'features'>): Promise<Readonly<Record<'standard' | 'own', PlanSummary>>> {
  return { standard: planSummary(STANDARD_VIEWS), own: planSummary((await loadOwnViews(config.features)).map(({ view }) => view)) }
}

/** What is published, from the log of the configuration; undefined where there is no log yet, or a running instance holds it. */
export async function publishedIn (config: Config, clock: Clock): Promise<PublishedViews | undefined> {
  await using closers = new Closers()
  try {
    const log = await logOf(config, clock, closers)
    return log === undefined ? undefined : await readPublished(log)
  } catch (e) {
    if (e instanceof LatidoError && e.code === 'DATA_DIR_IN_USE') return undefined
    throw e
  }
}

/** Publishes what is new, with the topics that it needs; answers what it wrote. Throws VIEW_CHANGED or VIEW_RETIRED. */
export async function publishViews (config: Config, clock: Clock): Promise<readonly ViewRecord[]> {
  await using closers = new Closers()
  const log = await logOf(config, clock, closers)
  if (log === undefined) throw new LatidoError('FILE_UNREADABLE', `there is no log in ${config.dataDir}`, 'start it once: a start publishes by itself where the log is embedded')
  const views = await definedViews(config.features)
  const { records } = planViewSet(views, await readPublished(log), await dependentsOf(config.model, views), await isEmptyLog(log))
  const generations = new Set(records.flatMap(record => record.kind === 'published' && record.generation > 0 ? [record.generation] : []))
  await log.ensureTopics([...generations].map(number => snapshotTopic(featuresProcessorName(number), log.partitionsOf(TOPICS.events))))
  if (records.length > 0) await appendViewRecords(log, records)
  return records
}

/** Takes a version out of service for good. Throws VIEW_UNKNOWN, or VIEW_IN_USE where something depends on it. */
export async function retireView (config: Config, clock: Clock, reference: string): Promise<void> {
  const [name = '', version] = reference.split('@')
  const view = { name, version: Number(version) }
  await using closers = new Closers()
  const log = await logOf(config, clock, closers)
  const registry = log === undefined ? undefined : await readPublished(log)
  const known = registry?.get(view)
  if (log === undefined || known === undefined) throw new LatidoError('VIEW_UNKNOWN', `no view ${reference} is published`, 'name it as view@version; "latido features list" has them')
  if (known.state === 'retired') return
  const views = await definedViews(config.features)
  const dependents = (await dependentsOf(config.model, views)).filter(d => d.view === name && d.version === view.version)
  if (dependents.length > 0) throw new LatidoError('VIEW_IN_USE', `view ${reference} is read by ${[...new Set(dependents.map(d => d.by))].join(', ')}`, 'move what depends on it to a newer version first')
  if ([...views.standard, ...views.own].some(one => viewKey(one) === reference)) throw new LatidoError('VIEW_IN_USE', `view ${reference} is still defined`, 'raise its version in its file, or take it out, and retire the old one then')
  await appendViewRecords(log, [{ kind: 'retired', view: name, version: view.version }])
}

async function logOf (config: Config, clock: Clock, closers: Closers): Promise<Log | undefined> {
  if (config.kafka !== undefined) {
    const { log: cluster } = await openKafkaLog(kafkaOptionsOf(config.kafka, clock))
    const log = prefixedLog(closers.use(cluster), config.kafka.topicPrefix)
    await log.ensureTopics(clusterTopics(config))
    return log
  }
  if (!existsSync(join(resolve(config.dataDir), 'log', 'data.mdb'))) return undefined
  const dir = closers.use(openDataDir(config.dataDir))
  const log = closers.use(await openEmbeddedLog({ directory: dir.path('log'), clock }))
  await log.ensureTopics(topicSpecs(config).filter(({ name }) => name === TOPICS.views))
  return log
}
