import { LatidoError } from '../../streams/errors/index.ts'
import type { ArrivalTimeMs } from '../../streams/time/index.ts'
import { viewFingerprint, viewKey, type FeatureView } from '../define/index.ts'
import type { PublishedView, PublishedViews } from './published-views.ts'
import { published, type ViewRecord } from './record.ts'

/** Something that reads one version of a view. */
export interface Dependent { readonly view: string, readonly version: number, readonly by: string }

/** Views that one features processor computes. */
export interface Generation {
  readonly number: number
  /** What its plan is made of. It never changes, so its state and its snapshots stay. */
  readonly planned: readonly FeatureView[]
  /** Of these, the ones that speak. */
  readonly running: readonly FeatureView[]
  /** They speak of records that arrived from here on. */
  readonly since: ArrivalTimeMs
}

/** The product's views, and those of the user's folder. */
export interface DefinedViews { readonly standard: readonly FeatureView[], readonly own: readonly FeatureView[] }

export interface ViewSetPlan {
  /** To append before anything runs; then the plan is made anew. */
  readonly records: readonly ViewRecord[]
  readonly generations: readonly Generation[]
  /** Everything that runs. */
  readonly running: readonly FeatureView[]
  /** Published, and not run now: nobody defines it any more. */
  readonly idle: readonly PublishedView[]
}

/**
 * What to run of the views that are defined now and those that were published. A name's older versions go on while something depends on them, or
 * until a newer one has caught up. `isEmpty`: the log has no event yet. Throws VIEW_CHANGED or VIEW_RETIRED.
 */
export function planViewSet (views: DefinedViews, registry: PublishedViews, dependents: readonly Dependent[], isEmpty: boolean): ViewSetPlan {
  const defined = [...views.standard, ...views.own]
  for (const view of defined) refuseChanged(view, registry.get(view))
  const others = registry.all().filter(({ definition, state }) => state !== 'retired' && !defined.some(view => viewKey(view) === viewKey(definition)))
  const kept = others.filter(old => goesOn(old, defined, registry, dependents))
  const superseded = others.filter(old => !kept.includes(old) && newer(old, defined) !== undefined)
  const running = [...defined, ...kept.map(old => old.definition)]
  return {
    records: [...publications(views, registry, isEmpty), ...superseded.map(({ definition: { name, version } }): ViewRecord => ({ kind: 'retired', view: name, version }))],
    generations: generationsOf(running, registry),
    running,
    idle: others.filter(old => !kept.includes(old) && !superseded.includes(old)),
  }
}

/**
 * New views, in generations of their own: what stands is not planned anew for their sake. The product's first views on a log speak of all of it,
 * as they did before anything was published; so do all on an empty one.
 */
function publications ({ standard, own }: DefinedViews, registry: PublishedViews, isEmpty: boolean): readonly ViewRecord[] {
  const isNew = (view: FeatureView): boolean => registry.get(view) === undefined
  const first = registry.nextGeneration()
  const second = standard.some(isNew) ? first + 1 : first
  return [
    ...standard.filter(isNew).map(view => published(view, first, isOfPatients(view) && !isEmpty && registry.size > 0)),
    ...own.filter(isNew).map(view => published(view, second, isOfPatients(view) && !isEmpty)),
  ]
}

function newer ({ definition: { name, version } }: PublishedView, defined: readonly FeatureView[]): FeatureView | undefined {
  return defined.find(view => view.name === name && view.version > version)
}

function goesOn (old: PublishedView, defined: readonly FeatureView[], registry: PublishedViews, dependents: readonly Dependent[]): boolean {
  const { name, version } = old.definition
  if (dependents.some(d => d.view === name && d.version === version)) return true
  const next = newer(old, defined)
  return next !== undefined && registry.get(next)?.state !== 'live'
}

function refuseChanged (view: FeatureView, before: PublishedView | undefined): void {
  if (before === undefined) return
  if (before.state === 'retired') throw new LatidoError('VIEW_RETIRED', `view ${viewKey(view)} was retired`, 'raise its version: a new one builds its state from the log')
  if (before.fingerprint !== viewFingerprint(view)) throw new LatidoError('VIEW_CHANGED', `view ${viewKey(view)} was published with another meaning: ${differencesOf(before.definition, view).join('; ')}`, `raise its version to ${view.version + 1}, or restore what it was`)
}

/** In words: what somebody who changed a definition looks for. */
function differencesOf (before: FeatureView, now: FeatureView): readonly string[] {
  const differences: string[] = []
  if (before.entity !== now.entity) differences.push(`entity was ${before.entity} and is ${now.entity}`)
  if (before.ttlMs !== now.ttlMs) differences.push(`ttl was ${before.ttlMs} ms and is ${now.ttlMs} ms`)
  const name = (names: readonly string[]): string => `${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`
  const gone = before.names.filter(n => !now.names.includes(n))
  const added = now.names.filter(n => !before.names.includes(n))
  const changed = now.names.filter((n, i) => before.names.includes(n) && meaningOf(now, i) !== meaningOf(before, before.names.indexOf(n)))
  if (changed.length > 0) differences.push(`features that differ: ${name(changed)}`)
  if (gone.length > 0) differences.push(`features that are gone: ${name(gone)}`)
  if (added.length > 0) differences.push(`features that are new: ${name(added)}`)
  if (differences.length === 0) differences.push('the order of its features')
  return differences
}

function meaningOf ({ units, expressions }: FeatureView, i: number): string { return JSON.stringify([units[i], expressions[i]]) }

/** A generation of which none speaks rests, but for the first, which also tells encounters and ticks. Ward and bed views are computed from vectors, not here. */
function generationsOf (running: readonly FeatureView[], registry: PublishedViews): readonly Generation[] {
  const numbers = [...new Set([0, ...running.flatMap(view => registry.get(view)?.generation ?? [])])].sort((a, b) => a - b)
  return numbers.map(number => {
    const views = registry.ofGeneration(number).filter(({ definition }) => isOfPatients(definition))
    return {
      number,
      // As defined now, where it is: how often a view emits may change.
      planned: views.map(({ definition }) => running.find(view => viewKey(view) === viewKey(definition)) ?? definition),
      running: running.filter(view => isOfPatients(view) && registry.get(view)?.generation === number),
      since: Math.max(0, ...views.map(view => view.since)),
    }
  }).filter(({ number, running: speaking }) => number === 0 || speaking.length > 0)
}

export function isOfPatients ({ entity }: Pick<FeatureView, 'entity'>): boolean { return entity === 'patient' }
