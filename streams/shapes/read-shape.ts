import { z } from 'zod'
import { nearNames } from './near-names.ts'
import { joined, namesIn, sentenceOf, type Values } from './words.ts'

/** One thing that is not as its schema says. */
export interface ShapeFault {
  /** Where it stands; empty: it is the whole. */
  readonly path: readonly (string | number)[]
  /** Plain words, for whoever has to mend it: what stands there, what was expected. */
  readonly why: string
  /** A name that is not known, or a value that is wrong. */
  readonly about: 'name' | 'value'
}

export type ShapeRead<T> = { readonly kind: 'ok', readonly value: T } | { readonly kind: 'invalid', readonly faults: readonly [ShapeFault, ...ShapeFault[]] }

const NAME_CHARACTERS_MAX = 64

/**
 * What was said, by its schema; or everything that is wrong with it. The one place where what the schemas' library finds becomes words for people.
 * `shown`: a number out of its range and a word that is none of a list are repeated, and an unknown name stands in the path. `hidden`: nothing of what was said is.
 */
export function readShape<T> (schema: z.ZodType<T>, said: unknown, values: Values): ShapeRead<T> {
  const words = new Words(values)
  const read = schema.safeParse(said, { error: issue => words.of(issue) })
  if (read.success) return { kind: 'ok', value: read.data }
  const faults = read.error.issues.flatMap(issue => words.faultsOf(issue, []))
  const [first = { path: [], why: 'it is not as described', about: 'value' }, ...more] = faults
  return { kind: 'invalid', faults: [first, ...more] }
}

/** `a.b: why`, or `why` alone where it is the whole. */
export function lineOfShapeFault ({ path, why }: ShapeFault): string { return path.length === 0 ? why : `${path.join('.')}: ${why}` }

/** What to say of a name that is none of these. */
export function unknownName (name: string, known: readonly string[]): string {
  const near = mean(name, known)
  return `there is no such option${near}${known.length === 0 ? '' : `${near === '' ? '; there' : ' There'} are: ${known.join(', ')}`}`
}

function mean (name: string, known: readonly string[]): string {
  const [near] = name.length > NAME_CHARACTERS_MAX ? [] : nearNames(name, known, 1)
  return near === undefined ? '' : `; did you mean "${near}"?`
}

class Words {
  readonly #values: Values
  /** Names that were known where the key was not, by the list of the unknown ones: what an issue keeps of its schema is gone when it is read. */
  readonly #known = new WeakMap<object, readonly string[]>()
  /** Unions that have no words of their own. */
  readonly #unions = new WeakSet<object>()

  constructor (values: Values) { this.#values = values }

  /** Called for an issue whose schema has no words of its own. */
  of (issue: z.core.$ZodRawIssue): string {
    if (issue.code === 'unrecognized_keys') this.#known.set(issue.keys, namesIn(issue.inst))
    if (issue.code === 'invalid_union') this.#unions.add(issue.errors)
    return sentenceOf(issue, this.#values)
  }

  faultsOf (issue: z.core.$ZodIssue, above: ShapeFault['path']): readonly ShapeFault[] {
    const path = [...above, ...issue.path.map(step => typeof step === 'number' ? step : String(step))]
    if (issue.code === 'unrecognized_keys') return this.#unknown(issue, path)
    if (issue.code === 'invalid_union' && issue.errors.length > 0 && this.#unions.has(issue.errors)) return this.#ofUnion(issue.errors, path)
    return [{ path, why: issue.message, about: 'value' }]
  }

  #unknown ({ keys, message }: z.core.$ZodIssueUnrecognizedKeys, path: ShapeFault['path']): readonly ShapeFault[] {
    const known = this.#known.get(keys)
    if (known === undefined) return [{ path, why: message, about: 'name' }]
    if (this.#values === 'hidden') return [{ path, why: `it has a field that is not known${mean(keys[0] ?? '', known)}`, about: 'name' }]
    return keys.map(key => ({ path: [...path, key], why: unknownName(key, known), about: 'name' }))
  }

  /** The member that comes nearest says what is wrong; where none is of the right kind, all say what they expect. */
  #ofUnion (members: readonly (readonly z.core.$ZodIssue[])[], path: ShapeFault['path']): readonly ShapeFault[] {
    const inside = members.filter(issues => !issues.some(({ path: at, code }) => at.length === 0 && code !== 'unrecognized_keys'))
    const [nearest] = inside.toSorted((a, b) => a.length - b.length)
    if (nearest !== undefined) return nearest.flatMap(issue => this.faultsOf(issue, path))
    return [{ path, why: joined(members.flatMap(issues => issues.slice(0, 1).flatMap(issue => this.faultsOf(issue, [])).map(({ why }) => why))), about: 'value' }]
  }
}
