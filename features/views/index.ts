/** The standard views. */
import { labsView } from './labs.ts'
import { news2View } from './news2.ts'
import { sepsisTimeView, sepsisView } from './sepsis.ts'
import { vitalsView } from './vitals.ts'
import type { FeatureView } from '../define/index.ts'

export { VITALS, vitalsView } from './vitals.ts'
export { labsView } from './labs.ts'
export { NEWS2_PARTS, news2View } from './news2.ts'
export { sepsisTimeView, sepsisView } from './sepsis.ts'

/** What the product computes for every patient. */
export const STANDARD_VIEWS: readonly FeatureView[] = [vitalsView, labsView, news2View, sepsisView]
/** Every view that there is, for replays and training. */
export const ALL_VIEWS: readonly FeatureView[] = [...STANDARD_VIEWS, sepsisTimeView]
