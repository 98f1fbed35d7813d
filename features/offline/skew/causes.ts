/** Why a served value and the one computed from the observations differ, from the likeliest to the unexplained. */
export const CAUSES = ['definition', 'behind', 'same-millisecond', 'rounding', 'unexplained'] as const
export type SkewCause = (typeof CAUSES)[number]

export const CAUSE_TEXTS: Readonly<Record<SkewCause, string>> = {
  definition: 'the vector was made by another definition of this view: its features have other names or units in the store',
  behind: 'the offline store had not taken in all observations up to the vector: compare again when the writer has caught up',
  'same-millisecond': 'records of the same millisecond: the value agrees when all of them count; the vector does not say which it knew',
  rounding: 'the values agree within a millionth: a value on the edge of a band, of a bucket of a sketch or of a rounding',
  unexplained: 'none of the known causes: the observations of this patient in the store are not those that the stream has read (retention, an import, a merge that the store has not seen), or one of the two is wrong',
}

/** What tells the causes apart: the value again, as computed with other knowledge. */
export interface Evidence {
  readonly served: number
  readonly stored: number
  /** With every record of the vector's millisecond. */
  readonly wholeMillisecond: number
  /** When the newest record arrived that the store has of any patient. */
  readonly storeArrival: number
  readonly asOf: number
  readonly sameDefinition: boolean
}

const agrees = (a: number, b: number, within: number): boolean => Object.is(a, b) || Math.abs(a - b) <= within * Math.max(1, Math.abs(a), Math.abs(b))
const EXACT = 1e-9
const CLOSE = 1e-6

export function causeOf (e: Evidence): SkewCause {
  if (!e.sameDefinition) return 'definition'
  if (agrees(e.served, e.stored, CLOSE)) return 'rounding'
  if (e.storeArrival < e.asOf) return 'behind'
  if (agrees(e.served, e.wholeMillisecond, EXACT)) return 'same-millisecond'
  return 'unexplained'
}
