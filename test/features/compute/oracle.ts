import { tileMsOf } from '../../../features/compute/plan.ts'
import type { Aggregate, Expression } from '../../../features/define/index.ts'
import type { ConceptId, Observation, ObservationKind } from '../../../streams/events/index.ts'

const HOUR_MS = 3_600_000
/** Event times of so many dense readings are remembered against duplicates. */
const RECENT = 16

interface Reading { readonly time: number, readonly value: number, readonly id: string, readonly dense: boolean, readonly order: number }
interface Point { readonly t: number, readonly value: number }
export interface Answer { readonly value: number, readonly time: number }

/** The naive twin of the features machine: keeps every reading and computes each feature from its expression, as expression.ts says. */
export class Oracle {
  readonly #readings = new Map<ConceptId, Reading[]>()
  readonly #recent = new Map<ConceptId, number[]>()
  readonly #counts = new Map<ConceptId, number>()
  #order = 0

  observe (o: Observation, kind: ObservationKind): void {
    const readings = this.#readings.get(o.concept) ?? []
    this.#readings.set(o.concept, readings)
    const known = o.resultId === '' ? -1 : readings.findIndex(r => r.id === o.resultId)
    const gone = o.status === 'withdrawn' || o.quality !== 'valid'
    const dense = kind === 'device' && o.resultId === ''
    if (gone && known < 0) return
    if (dense) {
      const recent = this.#recent.get(o.concept) ?? []
      if (recent.includes(o.eventTime)) return
      this.#recent.set(o.concept, [...recent, o.eventTime].slice(-RECENT))
    }
    if (known >= 0) {
      if (!gone && readings[known]!.time === o.eventTime && readings[known]!.value === o.value) return
      readings.splice(known, 1)
    }
    this.#counts.set(o.concept, (this.#counts.get(o.concept) ?? 0) + (gone ? -1 : known >= 0 ? 0 : 1))
    if (!gone) readings.push({ time: o.eventTime, value: o.value, id: o.resultId, dense, order: this.#order++ })
  }

  /** Value and event time of a feature that reads one series; the time is that of the newest reading it rests on. */
  answer (e: Expression, asOf: number): Answer {
    if (!('concept' in e)) throw new Error('not a feature of one series')
    const sorted = (this.#readings.get(e.concept) ?? []).toSorted((a, b) => a.time - b.time || a.order - b.order)
    switch (e.op) {
      case 'last': {
        const reading = sorted.at(-1 - e.back)
        return reading === undefined || (e.withinMs !== undefined && asOf - reading.time > e.withinMs) ? ABSENT : { value: reading.value, time: reading.time }
      }
      case 'age': return sorted.length === 0 ? ABSENT : { value: (asOf - sorted.at(-1)!.time) / HOUR_MS, time: sorted.at(-1)!.time }
      case 'countSinceAdmission': return { value: this.#counts.get(e.concept) ?? 0, time: asOf }
      case 'window': {
        const tileMs = tileMsOf(e.windowMs)
        const inside = e.kept === 'sparse'
          ? sorted.filter(r => !r.dense && r.time >= asOf - e.windowMs && r.time <= asOf)
          : sorted.filter(r => Math.floor(r.time / tileMs) * tileMs >= asOf - e.windowMs)
        return aggregated(e.aggregate, inside.map(r => ({ t: (r.time - asOf) / HOUR_MS, value: r.value })), inside.at(-1)?.time ?? asOf)
      }
      case 'sampled': {
        const inside = sorted.filter(r => Math.floor(r.time / e.sampleMs) * e.sampleMs > asOf - e.windowMs)
        const samples = new Map<number, Reading[]>()
        for (const r of inside) { const start = Math.floor(r.time / e.sampleMs) * e.sampleMs; samples.set(start, [...samples.get(start) ?? [], r]) }
        return aggregated(e.aggregate, [...samples].map(([start, of]) => ({ t: (start - asOf) / HOUR_MS, value: average(of.map(r => r.value)) })), inside.at(-1)?.time ?? asOf)
      }
      case 'missingRate': throw new Error('no answer')
    }
  }
}

const ABSENT: Answer = { value: NaN, time: NaN }

function aggregated (aggregate: Aggregate, points: readonly Point[], newest: number): Answer {
  if (points.length === 0) return aggregate === 'count' ? { value: 0, time: newest } : ABSENT
  const value = compute(aggregate, points)
  return Number.isNaN(value) ? ABSENT : { value, time: newest }
}

function compute (aggregate: Aggregate, points: readonly Point[]): number {
  const values = points.map(p => p.value)
  const mean = average(values)
  const meanT = average(points.map(p => p.t))
  const total = (of: (p: Point) => number): number => points.reduce((s, p) => s + of(p), 0)
  switch (aggregate) {
    case 'count': return values.length
    case 'sum': return total(p => p.value)
    case 'mean': return mean
    case 'min': return Math.min(...values)
    case 'max': return Math.max(...values)
    case 'range': return Math.max(...values) - Math.min(...values)
    case 'first': return values[0]!
    case 'variance': return values.length < 2 ? NaN : total(p => (p.value - mean) ** 2) / (values.length - 1)
    case 'deviation': return Math.sqrt(compute('variance', points))
    case 'slope': return points.every(p => p.t === points[0]!.t) ? NaN : total(p => (p.t - meanT) * (p.value - mean)) / total(p => (p.t - meanT) ** 2)
    default: throw new Error(`no answer for ${aggregate}`)
  }
}

function average (values: readonly number[]): number { return values.reduce((a, b) => a + b, 0) / values.length }
