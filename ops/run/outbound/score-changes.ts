import { CLINICAL_SCORES, type ClinicalScoreName, type OutboundClinicalScore } from '../../../connectors/kit/index.ts'
import type { FeatureView } from '../../../features/define/index.ts'
import type { FeatureVector } from '../../../features/vector.ts'
import type { PatientKey } from '../../../streams/events/index.ts'
import type { ArrivalTimeMs, Clock, DurationMs } from '../../../streams/time/index.ts'

/** A clinical score of a vector. */
export interface FoundScore extends Omit<OutboundClinicalScore, 'kind' | 'patient' | 'place'> { readonly patient: PatientKey }

/** A change that came too soon after the last one; a newer one takes its place. Its record counts as unread until it is settled. */
export interface HeldScore { readonly found: FoundScore, readonly partition: number, readonly offset: number, readonly due: ArrivalTimeMs }

export interface ScoreChangesOptions {
  readonly scores: readonly ClinicalScoreName[]
  /** Of a patient and score at most one in this time; 0: each change. */
  readonly everyMs: DurationMs
  /** The views as they are served now: a version that is being built, or that nobody asks for by the bare name, goes to nobody. */
  readonly views: () => readonly FeatureView[]
  readonly clock: Clock
}

/** A patient and score beyond these are forgotten, the oldest first: their next value counts as a change. */
const SENT_MAX = 200_000
/** Behind the log by more than `everyMs`, of each score only the newest goes: what is waited for so long has been overtaken. */
const SETTLE_MS = 5_000

/**
 * Which scores are news: those that differ from what went out last, at most one in a while, and then the newest. What was sent is known in memory, and
 * forgotten with the partition: after a restart each score goes out once again.
 */
export class ScoreChanges {
  readonly #options: ScoreChangesOptions
  readonly #sent = new Map<string, { readonly partition: number, readonly value: number, readonly missing: string, readonly at: ArrivalTimeMs }>()
  readonly #held = new Map<string, HeldScore>()
  /** Held, or handed out and not yet settled. */
  readonly #open = new Set<HeldScore>()
  readonly #readings = new Map<string, readonly Reading[]>()

  constructor (options: ScoreChangesOptions) { this.#options = options }

  /** Cheap: most vectors are of views that nobody sends. */
  wants (view: string): boolean { return this.#options.scores.some(name => CLINICAL_SCORES[name].view === view) }

  /** The scores of a vector that go out at once. */
  offer (patient: PatientKey, vector: FeatureVector, partition: number, offset: number): readonly FoundScore[] {
    return this.#readingsOf(vector).flatMap(reading => this.#judge(foundIn(reading, patient, vector), partition, offset))
  }

  /** Those whose time has come. */
  due (): readonly HeldScore[] {
    const now = this.#options.clock.now()
    const all = [...this.#held].filter(([, { due }]) => due <= now)
    for (const [key, held] of all) {
      this.#held.delete(key)
      this.#remember(key, held.found, held.partition, now)
    }
    return all.map(([, held]) => held)
  }

  /** It was delivered, or is a dead letter. */
  settled (held: HeldScore): void { this.#open.delete(held) }

  /** The first record of the partition that must be read again after a crash. */
  firstOpen (partition: number): number { return [...this.#open].reduce((first, one) => one.partition === partition && one.offset < first ? one.offset : first, Infinity) }

  forget (partition: number): void {
    for (const [key, one] of this.#sent) if (one.partition === partition) this.#sent.delete(key)
    for (const [key, one] of this.#held) if (one.partition === partition) this.#held.delete(key)
    for (const one of this.#open) if (one.partition === partition) this.#open.delete(one)
  }

  #judge (found: FoundScore | undefined, partition: number, offset: number): readonly FoundScore[] {
    if (found === undefined) return []
    const { everyMs, clock } = this.#options
    const key = `${found.score}|${found.patient}`
    const sent = this.#sent.get(key)
    const before = this.#held.get(key)
    if (before !== undefined) { this.#held.delete(key); this.#open.delete(before) }
    if (sent !== undefined && isSame(found, sent)) return [] // it went back to what is known
    const now = clock.now()
    const isLate = everyMs > 0 && now - found.asOf > everyMs
    const due = Math.max(sent === undefined ? -Infinity : sent.at + everyMs, isLate ? before?.due ?? now + SETTLE_MS : -Infinity)
    if (due <= found.asOf) { this.#remember(key, found, partition, found.asOf); return [found] }
    const held: HeldScore = { found, partition, offset, due }
    this.#held.set(key, held)
    this.#open.add(held)
    return []
  }

  #remember (key: string, { value, missing }: FoundScore, partition: number, at: ArrivalTimeMs): void {
    this.#sent.delete(key)
    if (this.#sent.size >= SENT_MAX) for (const oldest of this.#sent.keys()) { this.#sent.delete(oldest); break }
    this.#sent.set(key, { partition, value, missing: missing.join(), at })
  }

  #readingsOf ({ view, version }: FeatureVector): readonly Reading[] {
    const served = this.#options.views().find(one => one.name === view)
    if (served?.version !== version) return []
    const key = `${view}@${version}`
    let readings = this.#readings.get(key)
    if (readings === undefined) this.#readings.set(key, readings = this.#options.scores.filter(name => CLINICAL_SCORES[name].view === view && served.names.includes(name)).map(name => readingOf(name, served)))
    return readings
  }
}

interface Reading { readonly score: ClinicalScoreName, readonly at: number, readonly parts: readonly { readonly feature: string, readonly at: number }[] }

function readingOf (score: ClinicalScoreName, { names }: FeatureView): Reading {
  return { score, at: names.indexOf(score), parts: Object.keys(CLINICAL_SCORES[score].parts).map(feature => ({ feature, at: names.indexOf(feature) })) }
}

/** undefined: nothing is known that could be scored. */
function foundIn ({ score, at, parts }: Reading, patient: PatientKey, { view, version, asOf, values, times }: FeatureVector): FoundScore | undefined {
  const value = values[at] ?? NaN
  if (Number.isNaN(value)) return undefined
  const isPresent = (place: number): boolean => !Number.isNaN(values[place] ?? NaN)
  return {
    patient, score, asOf, value, basis: `${view}@${version}`,
    missing: parts.filter(part => !isPresent(part.at)).map(({ feature }) => feature),
    parts: parts.filter(part => isPresent(part.at)).map(part => ({ feature: part.feature, points: values[part.at]!, eventTime: Number.isNaN(times[part.at] ?? NaN) ? null : times[part.at]! })),
  }
}

function isSame ({ score, value, missing }: FoundScore, sent: { readonly value: number, readonly missing: string }): boolean {
  return Math.abs(value - sent.value) < CLINICAL_SCORES[score].step - 1e-9 && missing.join() === sent.missing
}
