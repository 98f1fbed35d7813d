import { createHash } from 'node:crypto'
import { isLatidoError, LatidoError } from '../../streams/errors/index.ts'
import { isConceptId, type ConceptId, type ObservationKind } from '../../streams/events/index.ts'
import { parseDuration, type Duration, type DurationMs } from '../../streams/time/index.ts'
import { conceptsOf, partsOf, type Expression, type Feature } from './expression.ts'
import { refusalOf } from './refusals.ts'
import { UnitMismatch, unitOf } from './units.ts'

/** Whom a view speaks of. Ward and bed views aggregate patients; a device view reads the numerics of one device, whoever wears it. */
export const ENTITIES = ['patient', 'encounter', 'bed', 'ward', 'device'] as const
export type Entity = (typeof ENTITIES)[number]

/** When a view emits a vector. */
export interface EmitPolicy {
  /** At most this often while readings of its concepts arrive. */
  readonly every: Duration
  /** At once, on a message of this kind (even one without a value that counts) or on a reading of this concept. */
  readonly on?: readonly (ObservationKind | ConceptId)[]
  /** At once, when one of these features has another value than in the last vector. */
  readonly onChange?: readonly string[]
}

export interface FeatureViewSpec<Names extends string = string> {
  readonly name: string
  /** A change of meaning needs the next version. */
  readonly version: number
  /** Default `patient`. */
  readonly entity?: Entity
  readonly owner: string
  readonly description: string
  /** A vector older than this is not served as present; when nothing has come for so long, one last vector says so. */
  readonly ttl: Duration
  readonly emit: EmitPolicy
  readonly features: Readonly<Record<Names, Feature>>
}

/** `Names` are the names of its features: what is read of a view is typed by them. */
export interface FeatureView<Names extends string = string> {
  readonly name: string
  readonly version: number
  readonly entity: Entity
  readonly owner: string
  readonly description: string
  readonly ttlMs: DurationMs
  readonly emit: { readonly everyMs: DurationMs, readonly on: readonly string[], readonly onChange: readonly string[] }
  readonly names: readonly Names[]
  readonly units: readonly string[]
  readonly expressions: readonly Expression[]
  /** The concepts whose readings change it. */
  readonly concepts: readonly ConceptId[]
}

/** Values of a view by feature name; null where absent. */
export type ValuesOf<View extends FeatureView> = Readonly<Record<View['names'][number], number | null>>

/** Checks a definition and freezes its feature order. Throws VIEW_INVALID, naming the view, the feature and the mistake. */
export function featureView<const Names extends string> (spec: FeatureViewSpec<Names>): FeatureView<Names> {
  const names = Object.keys(spec.features) as Names[]
  const fail = (why: string): never => { throw new LatidoError('VIEW_INVALID', `feature view ${spec.name}: ${why}`, 'mend the definition') }
  const entity = spec.entity ?? 'patient'
  if (!/^[a-z][A-Za-z0-9]{0,62}$/.test(spec.name)) fail('a name is one word in camel case, of at most 63 characters')
  if (!Number.isInteger(spec.version) || spec.version < 1) fail('the version is a whole number from 1')
  if (!ENTITIES.includes(entity)) fail(`there is no entity "${String(entity)}"; there are ${ENTITIES.join(', ')}`)
  if (names.length === 0) fail('it has no features')
  for (const name of spec.emit.onChange ?? []) if (!(names as string[]).includes(name)) fail(`onChange names ${name}, which is not a feature of it`)
  for (const name of names) {
    if (!/^[a-z][A-Za-z0-9]{0,62}$/.test(name)) fail(`feature "${name}": a name is one word in camel case, of at most 63 characters`)
    const why = problemOf(spec.features[name], entity)
    if (why !== undefined) fail(`feature ${name}: ${why}`)
  }
  const expressions = names.map(name => spec.features[name].expression)
  return {
    name: spec.name,
    version: spec.version,
    entity,
    owner: spec.owner,
    description: spec.description,
    ttlMs: duration(spec.ttl, 'ttl', fail),
    emit: { everyMs: duration(spec.emit.every, 'emit.every', fail), on: spec.emit.on ?? [], onChange: spec.emit.onChange ?? [] },
    names,
    units: expressions.map(unitOf),
    expressions,
    concepts: [...new Set(expressions.flatMap(conceptsOf))],
  }
}

function problemOf (feature: Feature | undefined, entity: Entity): string | undefined {
  if (feature?.expression === undefined) return 'it is not a feature; a window builder needs .over(...), .overReadings(...) or .overSamples(...)'
  const aggregatesPatients = entity === 'ward' || entity === 'bed'
  const foreign = readsOf(feature.expression).find(e => (e.op === 'members') !== aggregatesPatients)
  if (foreign !== undefined) return aggregatesPatients ? `a ${entity} view aggregates its patients (patients.mean(...)) and reads no ${foreign.op} of its own` : `a ${entity} view has no patients to aggregate; a ward or bed view has`
  const unknown = conceptsOf(feature.expression).find(concept => !isConceptId(concept))
  if (unknown !== undefined) return `there is no concept "${String(unknown)}"`
  const refusal = refusalOf(feature.expression)
  if (refusal !== undefined) return `${refusal}: cannot be planned`
  try {
    unitOf(feature.expression)
    return undefined
  } catch (e) {
    if (e instanceof UnitMismatch) return `${e.message}: units differ`
    throw e
  }
}

/** The leaves that read something. */
function readsOf (e: Expression): readonly Expression[] { return e.op === 'constant' ? [] : [...('concept' in e || e.op === 'members' || e.op === 'fact' ? [e] : []), ...partsOf(e).flatMap(readsOf)] }

function duration (text: Duration, of: string, fail: (why: string) => never): DurationMs {
  try {
    return parseDuration(text)
  } catch (e) {
    return isLatidoError(e) ? fail(`${of} ${e.message}`) : fail(String(e))
  }
}

/** What names one version of a view everywhere, `vitals@1`: of a view, or of what says which view it is of. */
export function viewKey (of: { readonly name: string, readonly version: number } | { readonly view: string, readonly version: number }): string { return `${'name' in of ? of.name : of.view}@${of.version}` }

/** sha256 of what a view means: its entity, TTL, and every feature's name, unit and expression. How often it emits, who owns it and how it is described may change. */
export function viewFingerprint (view: FeatureView): string {
  const { name, version, entity, ttlMs, names, units, expressions } = view
  return createHash('sha256').update(JSON.stringify({ name, version, entity, ttlMs, names, units, expressions })).digest('hex')
}
