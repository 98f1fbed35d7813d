/** The standard views. */
import { deteriorationView } from './deterioration.ts'
import { kidneyView } from './kidney.ts'
import { labsView } from './labs.ts'
import { news2View } from './news2.ts'
import { organsView } from './organs.ts'
import { sepsisTimeView, sepsisView } from './sepsis.ts'
import { vitalsView } from './vitals.ts'
import { wardView } from './ward.ts'
import type { FeatureView } from '../define/index.ts'

export { VITALS, vitalsView } from './vitals.ts'
export { labsView } from './labs.ts'
export { NEWS2_PARTS, news2View } from './news2.ts'
export { deteriorationView } from './deterioration.ts'
export { organsView } from './organs.ts'
export { kidneyView } from './kidney.ts'
export { sepsisTimeView, sepsisView } from './sepsis.ts'
export { wardView } from './ward.ts'

/** What the product computes for every patient. */
export const STANDARD_VIEWS: readonly FeatureView[] = [vitalsView, labsView, news2View, sepsisView, deteriorationView, organsView, kidneyView]
/** Of wards, over the standard views of their patients. */
export const STANDARD_GROUP_VIEWS: readonly FeatureView[] = [wardView]
/** Both: what the product publishes. */
export const PRODUCT_VIEWS: readonly FeatureView[] = [...STANDARD_VIEWS, ...STANDARD_GROUP_VIEWS]
/** Every view of patients that there is, for replays and training. */
export const ALL_VIEWS: readonly FeatureView[] = [...STANDARD_VIEWS, sepsisTimeView]
