/** What training data looked like, frozen: the yardstick of a view's drift. */
export interface DriftReference {
  readonly view: string
  readonly version: number
  readonly features: readonly FeatureReference[]
}

export interface FeatureReference {
  readonly name: string
  /** Place in the view's vector. */
  readonly place: number
  /** Upper edges of all bins but the last, rising. */
  readonly edges: readonly number[]
  /** Share of present values in each bin (edges + 1 of them). */
  readonly shares: readonly number[]
  readonly missingShare: number
  /** Vectors that the reference rests on. */
  readonly count: number
}
