import { featuresProcessorName } from '../../../features/processor.ts'
import { decodeViewRecord, type DefinedViews, type Dependent, encodeViewRecord, type Generation, isOfPatients, planViewSet, type PublishedView, PublishedViews, ViewAliases, type ViewRecord, type ViewSetPlan } from '../../../features/published/index.ts'
import { type FeatureView, viewKey } from '../../../features/define/index.ts'
import { PRODUCT_VIEWS, STANDARD_GROUP_VIEWS, STANDARD_VIEWS } from '../../../features/views/index.ts'
import { snapshotTopic } from '../../../streams/engine/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import { TOPICS } from '../../../streams/events/index.ts'
import type { Log } from '../../../streams/log/index.ts'

const VIEWS = { topic: TOPICS.views, partition: 0 } as const
/** Instances that publish at the same time: the first word counts, so one look more is enough. */
const ATTEMPTS_MAX = 5

export interface ViewSetOptions {
  readonly views: DefinedViews
  readonly dependents: readonly Dependent[]
  /** `no`: what would need a new topic is refused (on a cluster, where a start changes nothing). */
  readonly mayPublish: 'yes' | 'no'
  readonly say: (line: string) => void
}

/** The views of this start: which run, in which processors, and which of them a bare name means. */
export interface ViewSet {
  readonly views: readonly FeatureView[]
  readonly patientViews: readonly FeatureView[]
  readonly groupViews: readonly FeatureView[]
  readonly generations: readonly Generation[]
  readonly aliases: ViewAliases
  published (): readonly PublishedView[]
}

/** Reads what was published, publishes what is new, refuses what has changed. Throws VIEW_CHANGED, VIEW_RETIRED or NOT_PROVISIONED. */
export async function openViewSet (log: Log, { views, dependents, mayPublish, say }: ViewSetOptions): Promise<ViewSet> {
  for (let attempt = 1; ; attempt++) {
    const registry = await readPublished(log)
    const plan = planViewSet(views, registry, dependents, await isEmptyLog(log))
    if (plan.records.length > 0) {
      if (attempt > ATTEMPTS_MAX) throw new LatidoError('VIEW_CHANGED', 'other instances keep publishing other views', 'start all instances with the same --features')
      if (mayPublish === 'no') refuseNew(plan)
      await appendViewRecords(log, plan.records)
      for (const record of plan.records) if (record.kind !== 'published' || record.generation > 0) say(saidOf(record)) // the product's own first views go without saying
      continue
    }
    await log.ensureTopics(snapshotTopics(log, plan.generations))
    for (const { definition } of plan.idle) say(`view ${viewKey(definition)} is published, and nobody defines it now: it rests`)
    return viewSetOf(plan, registry)
  }
}

/** The product's views in one processor, without a word on `latido.views`: for tests and measurements of a pipeline by itself. */
export function unpublishedViewSet (): ViewSet {
  const views = PRODUCT_VIEWS
  return { views, patientViews: STANDARD_VIEWS, groupViews: STANDARD_GROUP_VIEWS, generations: [{ number: 0, planned: STANDARD_VIEWS, running: STANDARD_VIEWS, since: 0 }], aliases: new ViewAliases(views, views.map(viewKey)), published: () => [] }
}

/** What `latido.views` says, from its beginning. */
export async function readPublished (log: Log): Promise<PublishedViews> {
  const registry = new PublishedViews()
  const reader = log.reader(VIEWS, 0)
  for (let run = await reader.next(); run !== undefined; run = await reader.next()) {
    const { records } = run
    while (records.next()) if (records.valueStart >= 0) registry.apply(decodeViewRecord(records.valueBuffer.subarray(records.valueStart, records.valueEnd)), records.timestamp)
  }
  return registry
}

export async function appendViewRecords (log: Log, records: readonly ViewRecord[]): Promise<void> {
  await log.producer().append(VIEWS, records.map(record => ({ key: Buffer.from(record.kind === 'published' ? viewKey(record.definition) : viewKey(record)), value: encodeViewRecord(record) })))
}

function viewSetOf (plan: ViewSetPlan, registry: PublishedViews): ViewSet {
  const live = registry.all().filter(({ state }) => state === 'live').map(({ definition }) => viewKey(definition))
  return {
    views: plan.running,
    patientViews: plan.running.filter(isOfPatients),
    groupViews: plan.running.filter(view => !isOfPatients(view)),
    generations: plan.generations,
    aliases: new ViewAliases(plan.running, live),
    published: () => registry.all(),
  }
}

/** Whether no event has come yet. */
export async function isEmptyLog (log: Log): Promise<boolean> {
  for (let partition = 0; partition < log.partitionsOf(TOPICS.events); partition++) if ((await log.range({ topic: TOPICS.events, partition })).end > 0) return false
  return true
}

/** Generations beside the first bring their snapshots' topic. The embedded log keeps snapshots elsewhere, and an empty topic costs it nothing. */
function snapshotTopics (log: Log, generations: readonly Generation[]): Parameters<Log['ensureTopics']>[0] {
  return generations.filter(({ number }) => number > 0).map(({ number }) => snapshotTopic(featuresProcessorName(number), log.partitionsOf(TOPICS.events)))
}

function refuseNew ({ records }: ViewSetPlan): void {
  const first = records.find(record => record.kind === 'published' && record.generation > 0)
  if (first?.kind === 'published') throw new LatidoError('NOT_PROVISIONED', `view ${viewKey(first.definition)} is not published`, 'run "latido features publish" with the same --features and brokers: a new view needs a topic for its snapshots')
}

function saidOf (record: ViewRecord): string {
  if (record.kind !== 'published') return `view ${viewKey(record)} is ${record.kind}`
  return `view ${viewKey(record.definition)} is published${record.silent ? '; its state is built from the log' : ''}`
}
