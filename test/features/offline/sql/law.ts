import type { Aggregate, Expression, Fact } from '../../../../features/define/index.ts'
import { CONCEPTS, type BedsideEvent, type ConceptId, type EncounterEvent, type Observation, type ObservationKind } from '../../../../streams/events/index.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

interface Reading { readonly time: number, readonly value: number, readonly kept: boolean, readonly id: string, readonly order: number, readonly first: number }
interface Series { short: Reading[], long: Reading[], dense: Reading[], newest: number, readonly quarters: Set<number> }
export interface Answer { readonly value: number, readonly time: number }
const ABSENT: Answer = { value: NaN, time: NaN }

/** docs/feature-semantics.md as plain code: keeps every reading of one patient and computes each feature from its expression. */
export class Law {
  #series = new Map<ConceptId, Series>()
  #stay: Partial<Record<'ageYears' | 'hours' | 'admittedAt' | 'admitted' | 'discharged', number>> & { sex?: string } = {}
  #order = 0

  tell (event: BedsideEvent, arrival: number): void {
    this.#pass(arrival)
    if (event.type === 'encounter') this.#encounter(event, arrival)
    if (event.type === 'observations') for (const o of event.observations) this.#observe(o, event.kind, arrival)
  }

  /** Takes in what another key held. */
  join (other: Law, arrival: number): void {
    this.#pass(arrival)
    other.#pass(arrival)
    const shift = other.#order
    const later = (r: Reading): Reading => ({ ...r, order: r.order + shift, first: r.first + shift })
    const mixed = (mine: readonly Reading[], theirs: readonly Reading[]): Reading[] => [...theirs.filter(t => t.id === '' || !mine.some(m => m.id === t.id)), ...mine.map(later)]
    for (const concept of new Set([...this.#series.keys(), ...other.#series.keys()])) {
      const [mine, theirs] = [this.#of(concept), other.#of(concept)]
      this.#series.set(concept, { short: mixed(mine.short, theirs.short), long: mixed(mine.long, theirs.long), dense: [...theirs.dense, ...mine.dense.map(later)], newest: Math.max(mine.newest, theirs.newest), quarters: new Set([...mine.quarters, ...theirs.quarters]) })
    }
    const { admitted, discharged } = this.#stay
    const stay = { ...other.#stay, ...this.#stay }
    if (admitted !== undefined) stay.admitted = admitted + shift
    if ((admitted !== undefined || discharged !== undefined) && discharged === undefined) delete stay.discharged
    this.#stay = stay
    this.#order += shift
  }

  #of (concept: ConceptId): Series {
    const series = this.#series.get(concept) ?? { short: [], long: [], dense: [], newest: -1, quarters: new Set() }
    this.#series.set(concept, series)
    return series
  }

  /** Time has come to `at`: the patient may be forgotten. */
  #pass (at: number): void {
    if (this.#stay.discharged === undefined || at < this.#stay.discharged + DAY_MS) return
    this.#stay = {}
    for (const [concept, { long }] of this.#series) this.#series.set(concept, { short: [], long, dense: [], newest: -1, quarters: new Set() })
  }

  #encounter (event: EncounterEvent, arrival: number): void {
    const order = this.#order++
    if (event.ageYears >= 0) this.#stay.ageYears = event.ageYears
    if (event.sex !== 'unknown') this.#stay.sex = event.sex
    if (event.hoursSinceHospitalAdmission >= 0) this.#stay.hours = event.hoursSinceHospitalAdmission
    if (event.action === 'admit') { this.#stay.admittedAt = event.eventTime; this.#stay.admitted = order; delete this.#stay.discharged }
    if (event.action === 'discharge') this.#stay.discharged = arrival
  }

  #observe (o: Observation, kind: ObservationKind, arrival: number): void {
    const series = this.#of(o.concept)
    const order = this.#order++
    const reading: Reading = { time: Math.min(o.eventTime, arrival), value: o.value, kept: true, id: o.resultId, order, first: order }
    const good = o.status !== 'withdrawn' && o.quality === 'valid'
    if (kind === 'device' && o.resultId === '') { if (good) takeDense(series, { ...reading, kept: false }); return }
    series.short = said(series.short, reading, good)
    series.long = said(series.long, reading, good)
  }

  answer (e: Expression, asOf: number): Answer {
    this.#pass(asOf)
    switch (e.op) {
      case 'fact': return { value: this.#fact(e.fact, asOf), time: asOf }
      case 'last': case 'age': {
        const reading = this.#readings(e.concept, false).at(e.op === 'age' ? -1 : -1 - e.back)
        if (reading === undefined || (e.op === 'last' && e.withinMs !== undefined && reading.time < asOf - e.withinMs)) return ABSENT
        return { value: e.op === 'age' ? (asOf - reading.time) / HOUR_MS : reading.value, time: reading.time }
      }
      case 'countSinceAdmission': return { value: this.#readings(e.concept, false).filter(r => r.first > (this.#stay.admitted ?? -1)).length, time: asOf }
      case 'minus': {
        const [l, r] = [this.answer(e.left, asOf), this.answer(e.right, asOf)]
        return Number.isNaN(l.value - r.value) ? ABSENT : { value: l.value - r.value, time: Math.min(l.time, r.time) }
      }
      case 'window': case 'sampled': case 'missingRate': return windowed(e, this.#readings(e.concept, e.windowMs > DAY_MS), asOf)
      default: throw new Error(`${e.op} is not asked here`)
    }
  }

  #fact (fact: Fact, asOf: number): number {
    const { ageYears = NaN, hours = NaN, admittedAt = NaN, sex } = this.#stay
    switch (fact) {
      case 'ageYears': return ageYears
      case 'hoursFromHospitalToUnit': return hours
      case 'hoursInUnit': return (asOf - admittedAt) / HOUR_MS
      case 'male': case 'female': return sex === undefined ? NaN : Number(sex === fact)
    }
  }

  /** By event time; at the same time, by order. */
  #readings (concept: ConceptId, long: boolean): readonly Reading[] {
    const series = this.#series.get(concept)
    return series === undefined ? [] : [...series.dense, ...long ? series.long : series.short].sort((a, b) => a.time - b.time || a.order - b.order)
  }
}

function said (readings: readonly Reading[], word: Reading, good: boolean): Reading[] {
  const known = word.id === '' ? undefined : readings.find(r => r.id === word.id)
  if (!good) return readings.filter(r => r !== known)
  if (known === undefined) return [...readings, word]
  return known.time === word.time && known.value === word.value ? [...readings] : [...readings.filter(r => r !== known), { ...word, first: known.first }]
}

function takeDense (series: Series, reading: Reading): void {
  const quarter = Math.floor(reading.time / 250)
  if (reading.time <= series.newest && (reading.time < series.newest - HOUR_MS || series.quarters.has(quarter))) return
  series.newest = Math.max(series.newest, reading.time)
  series.quarters.add(quarter)
  series.dense.push(reading)
}

type Windowed = Extract<Expression, { op: 'window' | 'sampled' | 'missingRate' }>

function tileMs (windowMs: number): number { const step = windowMs < 30_000 ? 100 : 1_000; return Math.ceil(windowMs / 30 / step) * step }

function windowed (e: Windowed, readings: readonly Reading[], asOf: number): Answer {
  if (e.op === 'missingRate') {
    const n = Math.ceil(e.windowMs / e.everyMs)
    const inside = readings.filter(r => Math.floor(r.time / e.everyMs) > Math.floor(asOf / e.everyMs) - n)
    return { value: (n - new Set(inside.map(r => Math.floor(r.time / e.everyMs))).size) / n, time: inside.at(-1)?.time ?? asOf }
  }
  const inside = insideOf(e, readings, asOf)
  if (inside.length === 0) return e.aggregate === 'count' || e.aggregate === 'distinctCount' ? { value: 0, time: asOf } : ABSENT
  const points = e.op === 'sampled' ? grouped(inside, e.sampleMs).map(([time, of]) => ({ time, value: average(of.map(r => r.value)) })) : inside
  const value = e.op === 'window' && e.kept === 'dense' ? overTiles(e.aggregate, e.at ?? NaN, inside, tileMs(e.windowMs), asOf, e.concept) : aggregated(e.aggregate, e.at ?? NaN, points, e.op === 'window' ? asOf - e.untilMs : asOf, asOf)
  return Number.isNaN(value) ? ABSENT : { value, time: inside.at(-1)!.time }
}

function insideOf (e: Exclude<Windowed, { op: 'missingRate' }>, readings: readonly Reading[], asOf: number): readonly Reading[] {
  if (e.op === 'sampled') return readings.filter(r => Math.floor(r.time / e.sampleMs) > Math.floor((asOf - e.windowMs) / e.sampleMs))
  if (e.kept === 'sparse') return readings.filter(r => r.kept && r.time >= asOf - e.windowMs && (e.untilMs === 0 ? r.time <= asOf : r.time < asOf - e.untilMs))
  const w = tileMs(e.windowMs)
  return readings.filter(r => r.time >= Math.ceil((asOf - e.windowMs) / w) * w).sort((a, b) => a.time - b.time || Number(a.kept) - Number(b.kept) || a.order - b.order)
}

function grouped (readings: readonly Reading[], widthMs: number): readonly (readonly [number, readonly Reading[]])[] {
  const groups = new Map<number, Reading[]>()
  for (const r of readings) { const start = Math.floor(r.time / widthMs) * widthMs; groups.set(start, [...groups.get(start) ?? [], r]) }
  return [...groups]
}

function overTiles (aggregate: Aggregate, at: number, inside: readonly Reading[], w: number, asOf: number, concept: ConceptId): number {
  const tiles = grouped(inside, w).map(([, of]) => of.map(r => r.value))
  const share = (beyond: (v: number) => boolean): number => total(tiles.map(of => of.filter(beyond).length / of.length)) * w / HOUR_MS
  switch (aggregate) {
    case 'timeWeightedMean': return average(tiles.map(average))
    case 'timeAbove': return share(v => v > at)
    case 'timeBelow': return share(v => v < at)
    case 'quantile': return bucket(inside.map(r => r.value).sort((a, b) => a - b)[Math.floor(at * (inside.length - 1))]!, concept)
    default: return aggregated(aggregate, at, inside, asOf, asOf)
  }
}

function bucket (v: number, concept: ConceptId): number {
  const [low, high] = CONCEPTS[concept].possible
  if (v === 0 || (low <= 0 && Math.abs(v) < Math.max(Math.abs(low), Math.abs(high)) / 1_000)) return 0
  const g = 1.01 / 0.99
  return Math.sign(v) * 2 * g ** Math.ceil(Math.log(Math.abs(v)) / Math.log(g)) / (g + 1)
}

function total (values: readonly number[]): number { return values.reduce((a, b) => a + b, 0) }
function average (values: readonly number[]): number { return total(values) / values.length }

interface Point { readonly time: number, readonly value: number }

function aggregated (aggregate: Aggregate, at: number, points: readonly Point[], end: number, asOf: number): number {
  const values = points.map(p => p.value)
  const n = values.length
  const mean = average(values)
  const hours = points.map(p => (p.time - asOf) / HOUR_MS)
  const held = points.map((p, i) => (points[i + 1]?.time ?? end) - p.time)
  const beyond = (is: (v: number) => boolean): number => total(points.map((p, i) => is(p.value) ? held[i]! : 0)) / HOUR_MS
  const since = (is: (v: number) => boolean): number => (asOf - (points.findLast(p => is(p.value))?.time ?? NaN)) / HOUR_MS
  switch (aggregate) {
    case 'count': return n
    case 'sum': return total(values)
    case 'mean': return mean
    case 'min': return Math.min(...values)
    case 'max': return Math.max(...values)
    case 'range': return Math.max(...values) - Math.min(...values)
    case 'first': return values[0]!
    case 'last': return values.at(-1)!
    case 'delta': return values.at(-1)! - values[0]!
    case 'variance': return n < 2 ? NaN : total(values.map(v => (v - mean) ** 2)) / (n - 1)
    case 'deviation': return n < 2 ? NaN : Math.sqrt(total(values.map(v => (v - mean) ** 2)) / (n - 1))
    case 'slope': { const t = average(hours); return hours.every(h => h === hours[0]) ? NaN : total(points.map((p, i) => (hours[i]! - t) * (p.value - mean))) / total(hours.map(h => (h - t) ** 2)) }
    case 'quantile': { const sorted = values.toSorted((a, b) => a - b); const h = (n - 1) * at; const low = sorted[Math.floor(h)]!; return low + (h - Math.floor(h)) * (sorted[Math.min(Math.floor(h) + 1, n - 1)]! - low) }
    case 'distinctCount': return new Set(values).size
    case 'timeWeightedMean': return total(held) === 0 ? values.at(-1)! : total(points.map((p, i) => p.value * held[i]!)) / total(held)
    case 'timeAbove': return beyond(v => v > at)
    case 'timeBelow': return beyond(v => v < at)
    case 'timeSinceAbove': return since(v => v > at)
    case 'timeSinceBelow': return since(v => v < at)
  }
}
