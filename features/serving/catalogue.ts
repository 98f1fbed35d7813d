import { LatidoError } from '../../streams/errors/index.ts'
import type { FeatureView } from '../define/index.ts'
import { nearNames } from '../../streams/shapes/index.ts'
import { tableOf } from './reader.ts'

/** A named list of features, so that a model or a page reads by one name what it needs: an alias. Each is `view`, `view:feature`, `view@version` or `view@version:feature`. */
export interface FeatureService { readonly name: string, readonly description: string, readonly features: readonly string[] }

/** What of a view is read: `places` picks features of its vector, undefined takes all in the view's order. */
export interface ViewSelection {
  readonly view: FeatureView
  readonly table: string
  readonly names: readonly string[]
  readonly units: readonly string[]
  readonly places: Uint16Array | undefined
}

/** Features to read together, of one kind of entity, grouped by view in the order of their first mention. Column c is `names[c]`. */
export interface Selection {
  readonly entity: string
  readonly views: readonly ViewSelection[]
  readonly tables: readonly string[]
  /** `view:feature` of each column. */
  readonly names: readonly string[]
  readonly viewOf: Uint16Array
  readonly placeOf: Uint16Array
}

/** Which version of a view a bare name means; `onChange` is told when that is another one. */
export interface BareNames { versionOf (name: string): number | undefined, onChange (changed: () => void): void }

const SERVICE_NAME = /^[a-z][A-Za-z0-9]{0,62}$/
const REFERENCE = /^(?<view>[A-Za-z][A-Za-z0-9_]{0,62})(?:@(?<version>\d{1,6}))?(?::(?<feature>[A-Za-z][A-Za-z0-9_]{0,126}))?$/
/** Selections that are remembered: callers ask for the same again and again. */
const REMEMBERED_MAX = 1_000
export const FEATURES_MAX = 4_096

/** The views and services that are served, and what a caller's names mean among them. */
export class ServingCatalogue {
  readonly views: readonly FeatureView[]
  readonly services: readonly FeatureService[]
  readonly #newest = new Map<string, FeatureView>()
  readonly #names: BareNames | undefined
  readonly #versions = new Map<string, FeatureView>()
  readonly #services = new Map<string, FeatureService>()
  readonly #remembered = new Map<string, Selection>()

  /** Where no version is named the one is meant that `names` says, else the highest. Throws where a service names what does not exist. */
  constructor (views: readonly FeatureView[], services: readonly FeatureService[] = [], names?: BareNames) {
    this.#names = names
    names?.onChange(() => { this.#remembered.clear() })
    this.views = views
    this.services = services
    for (const view of views) {
      this.#versions.set(tableOf(view), view)
      if ((this.#newest.get(view.name)?.version ?? 0) < view.version) this.#newest.set(view.name, view)
    }
    for (const service of services) {
      if (!SERVICE_NAME.test(service.name)) throw new LatidoError('SERVICE_INVALID', `feature service ${quoted(service.name)}: a name is one word in camel case, of at most 63 characters`, 'mend the definition')
      if (this.#services.has(service.name)) throw new LatidoError('SERVICE_INVALID', `there are two feature services "${service.name}"`, 'give one of them another name')
      this.#services.set(service.name, service)
      this.select(service.features)
    }
  }

  /** The view of `name` or `name@version`. Throws VIEW_UNKNOWN. */
  view (reference: string): FeatureView {
    const { view, version, feature } = REFERENCE.exec(reference)?.groups ?? {}
    if (view === undefined || feature !== undefined) throw new LatidoError('VIEW_UNKNOWN', `${quoted(reference)} is not the name of a view`, this.#known('views', view ?? '', this.#newest.keys()))
    return this.#view(view, version)
  }

  /** What a service reads. Throws SERVICE_UNKNOWN. */
  service (name: string): Selection {
    const service = this.#services.get(name)
    if (service === undefined) throw new LatidoError('SERVICE_UNKNOWN', `there is no feature service ${quoted(name)}`, this.#known('services', name, this.#services.keys()))
    return this.select(service.features)
  }

  /** What features are meant: each `view`, `view:feature`, or either with `@version` after the view. One named twice is read once. Throws VIEW_UNKNOWN, FEATURE_UNKNOWN or SELECTION_INVALID. */
  select (features: readonly string[]): Selection {
    const key = features.join('\n')
    const remembered = this.#remembered.get(key)
    if (remembered !== undefined) return remembered
    const selection = this.#resolve(features)
    if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.clear()
    this.#remembered.set(key, selection)
    return selection
  }

  #resolve (features: readonly string[]): Selection {
    if (features.length === 0) throw new LatidoError('SELECTION_INVALID', 'no features are named', 'name views or features, or a feature service')
    const wanted = new Map<FeatureView, Set<number> | 'all'>()
    for (const reference of features) {
      const { view: viewName, version, feature } = REFERENCE.exec(reference)?.groups ?? {}
      if (viewName === undefined) throw new LatidoError('FEATURE_UNKNOWN', `${quoted(reference)} is not a reference to a feature`, 'write view, view:feature or view@version:feature')
      const view = this.#view(viewName, version)
      const before = wanted.get(view)
      if (feature === undefined) { wanted.set(view, 'all'); continue }
      const place = view.names.indexOf(feature)
      if (place < 0) throw new LatidoError('FEATURE_UNKNOWN', `view ${view.name} has no feature "${feature}"`, this.#known(`features of ${view.name}`, feature, view.names))
      if (before === undefined) wanted.set(view, new Set([place])); else if (before !== 'all') before.add(place)
    }
    return selectionOf([...wanted].map(([view, places]) => viewSelection(view, places)))
  }

  #view (name: string, version: string | undefined): FeatureView {
    const newest = this.#newest.get(name)
    if (newest === undefined) throw new LatidoError('VIEW_UNKNOWN', `there is no view "${name}"`, this.#known('views', name, this.#newest.keys()))
    const wanted = version ?? this.#names?.versionOf(name)
    if (wanted === undefined) return newest
    const view = this.#versions.get(tableOf({ name, version: Number(wanted) }))
    if (view === undefined) throw new LatidoError('VIEW_UNKNOWN', `view ${name} has no version ${wanted} here`, `versions that are served: ${this.views.filter(v => v.name === name).map(v => v.version).join(', ')}`)
    return view
  }

  #known (what: string, name: string, known: Iterable<string>): string {
    const all = [...known]
    const near = nearNames(name, all)
    if (near.length > 0) return `did you mean ${near.join(', ')}?`
    return all.length === 0 ? `there are no ${what}` : `${what}: ${all.slice(0, 20).join(', ')}${all.length > 20 ? ', ...' : ''}`
  }
}

/** A caller's word in a message: only what looks like a name is repeated, as anything else may identify somebody. */
function quoted (text: string): string { return /^[A-Za-z][A-Za-z0-9_@:-]{0,127}$/.test(text) ? `"${text}"` : 'what was asked for' }

function viewSelection (view: FeatureView, wanted: ReadonlySet<number> | 'all'): ViewSelection {
  const table = tableOf(view)
  if (wanted === 'all') return { view, table, names: view.names, units: view.units, places: undefined }
  const places = Uint16Array.from(wanted)
  return { view, table, names: [...wanted].map(i => view.names[i]!), units: [...wanted].map(i => view.units[i]!), places: places.length === view.names.length && places.every((p, i) => p === i) ? undefined : places }
}

function selectionOf (views: readonly ViewSelection[]): Selection {
  const entity = views[0]!.view.entity
  const other = views.find(({ view }) => view.entity !== entity)
  if (other !== undefined) throw new LatidoError('SELECTION_INVALID', `the entity of view ${views[0]!.view.name} is ${entity}, that of view ${other.view.name} is ${other.view.entity}`, 'read views of different entities one after the other')
  const names = views.flatMap(({ view, names: own }) => own.map(name => `${view.name}:${name}`))
  if (names.length > FEATURES_MAX) throw new LatidoError('SELECTION_INVALID', `${names.length} features are asked for`, `ask for at most ${FEATURES_MAX} at once`)
  return {
    entity, views, names, tables: views.map(v => v.table),
    viewOf: Uint16Array.from(views.flatMap((v, i) => v.names.map(() => i))), placeOf: Uint16Array.from(views.flatMap(v => v.names.map((_, i) => i))),
  }
}
