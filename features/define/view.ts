import { LatidoError } from '../../streams/errors/index.ts'
import type { ConceptId, ObservationKind } from '../../streams/events/index.ts'
import { parseDuration, type Duration, type DurationMs } from '../../streams/time/index.ts'
import type { Expression, Feature } from './expression.ts'

/** When a view emits a vector. */
export interface EmitPolicy {
  /** At most this often while readings of its concepts arrive. */
  readonly every: Duration
  /** At once, on a message of this kind (even one without a value that counts) or on a reading of this concept. */
  readonly on?: readonly (ObservationKind | ConceptId)[]
  /** At once, when one of these features has another value than in the last vector. */
  readonly onChange?: readonly string[]
}

export interface FeatureViewSpec {
  readonly name: string
  /** A change of meaning needs the next version. */
  readonly version: number
  readonly owner: string
  readonly description: string
  /** A vector older than this is not served as present; when nothing has come for so long, one last vector says so. */
  readonly ttl: Duration
  readonly emit: EmitPolicy
  readonly features: Readonly<Record<string, Feature>>
}

export interface FeatureView {
  readonly name: string
  readonly version: number
  readonly owner: string
  readonly description: string
  readonly ttlMs: DurationMs
  readonly emit: { readonly everyMs: DurationMs, readonly on: readonly string[], readonly onChange: readonly string[] }
  readonly names: readonly string[]
  readonly units: readonly string[]
  readonly expressions: readonly Expression[]
  /** The concepts whose readings change it. */
  readonly concepts: readonly ConceptId[]
}

/** Checks a definition and freezes its feature order. Throws VIEW_INVALID, naming the view and the mistake. */
export function featureView (spec: FeatureViewSpec): FeatureView {
  const names = Object.keys(spec.features)
  const fail = (why: string): never => { throw new LatidoError('VIEW_INVALID', `feature view ${spec.name}: ${why}`, 'mend the definition') }
  if (!/^[a-z][A-Za-z0-9]{0,62}$/.test(spec.name)) fail('a name is one word in camel case, of at most 63 characters')
  if (!Number.isInteger(spec.version) || spec.version < 1) fail('the version is a whole number from 1')
  if (names.length === 0) fail('it has no features')
  for (const name of spec.emit.onChange ?? []) if (!names.includes(name)) fail(`onChange names ${name}, which is not a feature of it`)
  const expressions = names.map(name => spec.features[name]!.expression)
  return {
    name: spec.name,
    version: spec.version,
    owner: spec.owner,
    description: spec.description,
    ttlMs: parseDuration(spec.ttl),
    emit: { everyMs: parseDuration(spec.emit.every), on: spec.emit.on ?? [], onChange: spec.emit.onChange ?? [] },
    names,
    units: names.map(name => spec.features[name]!.unit),
    expressions,
    concepts: [...new Set(expressions.flatMap(conceptsOf))],
  }
}

/** Every concept that an expression reads. */
export function conceptsOf (e: Expression): readonly ConceptId[] {
  return [...('concept' in e ? [e.concept] : []), ...partsOf(e).flatMap(conceptsOf)]
}

/** The expressions that one is made of. */
export function partsOf (e: Expression): readonly Expression[] {
  switch (e.op) {
    case 'plus': case 'minus': case 'times': case 'ratio': case 'least': case 'greatest': return [e.left, e.right]
    case 'coalesce': case 'sumOfPresent': case 'maxOfPresent': case 'countMissing': return e.of
    case 'rounded': case 'banded': return [e.of]
    case 'when': return [e.of, e.yes, e.no]
    case 'last': case 'age': case 'window': case 'sampled': case 'countSinceAdmission': case 'fact': case 'constant': return []
  }
}
