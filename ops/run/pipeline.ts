import { viewKey } from '../../features/define/index.ts'
import { featuresProcessor, type FeaturesProcessorParts } from '../../features/processor.ts'
import { ALERT_DEFAULTS, type AlertChange, type AlertOptions } from '../../inference/alerts/index.ts'
import { driftCountsProcessor, driftProcessor, inferenceProcessor, type InferenceParts } from '../../inference/processors.ts'
import { type EngineOptions, type Processor, type RunningProcessor, startProcessor } from '../../streams/engine/index.ts'
import { REFUSAL_CAUSES, type RefusalCause, TOPICS } from '../../streams/events/index.ts'
import type { Clock, DurationMs } from '../../streams/time/index.ts'
import type { Sealer } from '../../connectors/kit/index.ts'
import type { Logger } from '../telemetry/index.ts'
import type { Closers } from './closers.ts'
import { startEntityProcessors } from './entity-processors.ts'
import { loadModels, type LoadedModels } from './models.ts'
import type { Stores } from './stores.ts'
import { unpublishedViewSet, type ViewSet } from './views/index.ts'

/** A window's counts of all partitions are awaited so long after its end. */
const DRIFT_GRACE_MS: DurationMs = 10_000

export interface PipelineOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly sealer: Sealer
  readonly model: string
  /** Default: the product's views, nothing published. */
  readonly views?: ViewSet
  readonly alerts: Partial<AlertOptions>
  readonly driftWindowMs: DurationMs
  /** Live: a silent partition of `latido.events` gets ticks. A replay brings its own. */
  readonly ownsTicks: boolean
  readonly engine?: Partial<EngineOptions>
  readonly onApplied?: (applied: string) => void
  readonly onAlert?: (change: AlertChange) => void
}

export interface Pipeline { readonly processors: readonly RunningProcessor[], readonly models: LoadedModels }

/** The processors between the events and the pages, joined and restored, not yet running. */
export async function openPipeline (stores: Stores, options: PipelineOptions, closers: Closers): Promise<Pipeline> {
  const views = options.views ?? unpublishedViewSet()
  const { log, codecs, vectors, inference, online, snapshots } = stores
  const models = await loadModels(options.model, views.patientViews, closers)
  const deadLetter: InferenceParts['deadLetter'] = refused => ({
    topic: TOPICS.deadLetters, key: null,
    value: codecs.encodeDeadLetter({ cause: causeOf(refused.cause), detail: refused.detail, source: 'engine', feed: '', partition: refused.partition, offset: refused.offset, refusedAt: refused.at, raw: options.sealer.seal(refused.raw) }),
  })
  const parts: InferenceParts = { codecs, vectors, inference, online, deadLetter }
  const alerts: AlertOptions = { ...ALERT_DEFAULTS, ...options.alerts, ...(models.sepsis === undefined ? {} : { sepsisThreshold: models.sepsis.threshold, sepsisBasis: `${models.sepsis.name}@${models.sepsis.version}` }) }
  // Of two versions that run side by side alerts read the one that a bare name means at the start, so that one patient has one NEWS2.
  const alerting = views.patientViews.filter(v => v.version === views.aliases.versionOf(v.name))
  const namesOf = (name: string, version: number): readonly string[] | undefined => alerting.find(v => v.name === name && v.version === version)?.names
  const host = { log, clock: options.clock, snapshots, options: options.engine ?? {}, onChange: (what: string) => { options.logger.warn({}, what) } }
  const start = async <S, I, O> (processor: Processor<S, I, O>): Promise<RunningProcessor> => closers.use(await startProcessor(processor, host))
  const inferring = await inferenceProcessor(parts, { models: models.serving, alerts, namesOf })
  return {
    models,
    processors: [
      ...await startFeatures({ codecs, vectors, online, deadLetter, ownsTicks: options.ownsTicks, ...(options.onApplied === undefined ? {} : { onApplied: options.onApplied }) }, views, start),
      ...await startEntityProcessors(stores, { views: views.groupViews, patientViews: views.patientViews }, deadLetter, start),
      await start({ ...inferring, effects: partition => {
        const effects = inferring.effects?.(partition)
        const changes: AlertChange[] = []
        return {
          add: e => {
            effects?.add(e)
            if (e.out.type === 'change') changes.push(e.out.change)
          },
          carryOut: async () => {
            await effects?.carryOut()
            for (const change of changes) options.onAlert?.(change)
          },
        }
      } }),
      await start(await driftCountsProcessor(parts, models.references, options.driftWindowMs)),
      await start(await driftProcessor(parts, models.references, DRIFT_GRACE_MS)),
    ],
  }
}

/** One processor a generation of views; the first counts what became of readings, for all. */
async function startFeatures (parts: Omit<FeaturesProcessorParts, 'views' | 'generation'>, { generations }: ViewSet, start: <S, I, O>(processor: Processor<S, I, O>) => Promise<RunningProcessor>): Promise<readonly RunningProcessor[]> {
  const { onApplied, ...others } = parts
  const running: RunningProcessor[] = []
  for (const { number, planned, running: speaking, since } of generations) {
    running.push(await start(await featuresProcessor({ ...others, ...(onApplied === undefined || number > 0 ? {} : { onApplied }), views: planned, generation: { number, running: new Set(speaking.map(viewKey)), since } })))
  }
  return running
}

function causeOf (text: string): RefusalCause { return REFUSAL_CAUSES.find(cause => cause === text) ?? 'payload-invalid' }
