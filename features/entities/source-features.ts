import { partsOf, viewKey, type Expression, type FeatureView } from '../define/index.ts'

/** A feature of a patient's view that some ward or bed view aggregates. */
export interface SourceFeature { readonly view: string, readonly version: number, readonly feature: string }

/** The features of patients that views of wards and beds read, each once, in a stable order. */
export function sourceFeatures (views: readonly FeatureView[]): readonly SourceFeature[] {
  const found = new Map<string, SourceFeature>()
  for (const { view, version, feature } of views.flatMap(v => v.expressions.flatMap(membersOf))) found.set(nameOf({ view, version, feature }), { view, version, feature })
  return [...found].sort(([a], [b]) => a < b ? -1 : 1).map(([, of]) => of)
}

/** `news2@1:news2` */
export function nameOf (source: SourceFeature): string { return `${viewKey(source)}:${source.feature}` }

type Members = Extract<Expression, { op: 'members' }>
function membersOf (e: Expression): readonly Members[] { return e.op === 'members' ? [e] : partsOf(e).flatMap(membersOf) }
