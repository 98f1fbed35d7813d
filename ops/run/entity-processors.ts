import type { FeatureView } from '../../features/define/index.ts'
import { entityFeaturesProcessor, groupsProcessor, membersProcessor, rekeyProcessor } from '../../features/entities/index.ts'
import type { OutputRecord, Processor, RefusedRecord, RunningProcessor } from '../../streams/engine/index.ts'
import type { Stores } from './stores.ts'

type Start = <S, I, O>(processor: Processor<S, I, O>) => Promise<RunningProcessor>

export interface EntityViews {
  /** Of wards, beds, devices and encounters. */
  readonly views: readonly FeatureView[]
  /** Those of patients, which views of wards and beds aggregate. */
  readonly patientViews: readonly FeatureView[]
}

/** The processors behind the views of other entities than patients; none for a kind of which there is no view. */
export async function startEntityProcessors (stores: Stores, { views, patientViews }: EntityViews, deadLetter: (refused: RefusedRecord) => OutputRecord, start: Start): Promise<readonly RunningProcessor[]> {
  const parts = { ...stores, deadLetter }
  const started: RunningProcessor[] = []
  const groups = views.filter(({ entity }) => entity === 'ward' || entity === 'bed')
  const rekeyed = views.filter(({ entity }) => entity === 'device' || entity === 'encounter')
  if (groups.length > 0) started.push(await start(await membersProcessor({ ...parts, views: groups, patientViews })), await start(await groupsProcessor({ ...parts, views: groups })))
  if (rekeyed.length > 0) started.push(await start(await rekeyProcessor({ ...parts, views: rekeyed })))
  for (const kind of ['device', 'encounter'] as const) {
    const mine = views.filter(({ entity }) => entity === kind)
    if (mine.length > 0) started.push(await start(await entityFeaturesProcessor(kind, { ...parts, views: mine })))
  }
  return started
}
