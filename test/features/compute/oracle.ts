import type { Aggregate, Expression, Fact } from '../../../features/define/index.ts'
import { CONCEPTS, type BedsideEvent, type ConceptId, type EncounterEvent, type Observation, type ObservationKind } from '../../../streams/events/index.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const GROWTH = 1.01 / 0.99

/** `counted`: first said after the last admission. `forgotten`: said before the patient was last forgotten. */
interface Reading { readonly concept: ConceptId, readonly time: number, readonly value: number, readonly id: string, readonly dense: boolean, order: number, counted: boolean, forgotten: boolean }
interface Point { readonly t: number, readonly value: number }
export interface Answer { readonly value: number, readonly time: number }

type Told = { readonly offset: number, readonly arrival: number } & ({ readonly event: BedsideEvent } | { readonly loser: Oracle })

/**
 * The naive twin of every feature: it keeps all records of one patient and reads docs/feature-semantics.md from them anew, each time it is asked. It
 * shares no code with the product, and is what the stream, the SQL and replays are compared with.
 */
export class Oracle {
  readonly #told: Told[] = []

  /** A record of this patient. */
  record (offset: number, arrival: number, event: BedsideEvent): void { this.#told.push({ offset, arrival, event }) }

  /** Another patient is this one: what that one knows by then is taken in. */
  merge (offset: number, arrival: number, loser: Oracle): void { this.#told.push({ offset, arrival, loser }) }

  /** What is known as of a time, of the records below offset `through`. */
  at (asOf: number, through: number = Infinity): Known {
    const known = new Known(asOf)
    for (const told of this.#told) {
      if (told.arrival > asOf || told.offset >= through) continue
      known.pass(told.arrival)
      if ('loser' in told) known.join(told.loser.at(told.arrival, told.offset))
      else known.take(told.event, told.arrival)
      known.pass(told.arrival)
    }
    known.pass(asOf)
    return known
  }

  answer (e: Expression, asOf: number, through: number = Infinity): Answer { return this.at(asOf, through).answer(e) }
}

/** What is known of a patient as of a time. */
export class Known {
  readonly #asOf: number
  #readings: Reading[] = []
  #order = 0
  #facts: Partial<Record<'ageYears' | 'male' | 'female' | 'hoursFromHospitalToUnit', number>> = {}
  #admittedAt: number | undefined
  #dischargedAt: number | undefined
  #taken = new Map<ConceptId, { newest: number, readonly quarters: Set<number> }>()

  constructor (asOf: number) { this.#asOf = asOf }

  /** Time has come to `at`: 24 h after a discharge the patient is forgotten. */
  pass (at: number): void {
    if (this.#dischargedAt === undefined || at < this.#dischargedAt + DAY) return
    this.#readings = this.#readings.filter(r => !r.dense).map(r => ({ ...r, counted: false, forgotten: true }))
    this.#facts = {}
    this.#admittedAt = this.#dischargedAt = undefined
    this.#taken = new Map()
  }

  take (event: BedsideEvent, arrival: number): void {
    if (event.type === 'encounter') this.#encounter(event, arrival)
    if (event.type === 'observations') for (const o of event.observations) this.#observe(o, event.kind, arrival)
  }

  #encounter ({ action, eventTime, ageYears, sex, hoursSinceHospitalAdmission }: EncounterEvent, arrival: number): void {
    if (ageYears >= 0) this.#facts.ageYears = ageYears
    if (sex !== 'unknown') { this.#facts.male = sex === 'male' ? 1 : 0; this.#facts.female = sex === 'female' ? 1 : 0 }
    if (hoursSinceHospitalAdmission >= 0) this.#facts.hoursFromHospitalToUnit = hoursSinceHospitalAdmission
    if (action === 'discharge') this.#dischargedAt = arrival
    if (action !== 'admit') return
    this.#admittedAt = eventTime
    this.#dischargedAt = undefined
    for (const r of this.#readings) r.counted = false
  }

  #observe (o: Observation, kind: ObservationKind, arrival: number): void {
    const stands = o.quality === 'valid' && o.status !== 'withdrawn'
    const reading: Reading = { concept: o.concept, time: Math.min(o.eventTime, arrival), value: o.value, id: o.resultId, dense: kind === 'device' && o.resultId === '', order: ++this.#order, counted: true, forgotten: false }
    if (reading.dense) {
      if (stands && this.#isTaken(reading)) this.#readings.push(reading)
      return
    }
    const before = o.resultId === '' ? undefined : this.#readings.find(r => !r.dense && r.concept === o.concept && r.id === o.resultId)
    if (stands && before?.forgotten === false && before.time === reading.time && before.value === reading.value) return
    this.#readings = this.#readings.filter(r => r !== before)
    if (stands) this.#readings.push({ ...reading, counted: before === undefined || before.forgotten || before.counted })
  }

  /** The rule of dense readings. */
  #isTaken ({ concept, time }: Reading): boolean {
    const taken = this.#taken.get(concept)
    const quarter = Math.floor(time / 250)
    if (taken === undefined) { this.#taken.set(concept, { newest: time, quarters: new Set([quarter]) }); return true }
    if (time <= taken.newest && (time < taken.newest - HOUR || taken.quarters.has(quarter))) return false
    taken.newest = Math.max(taken.newest, time)
    taken.quarters.add(quarter)
    return true
  }

  /** As if all that the other knows had come before what is known here. */
  join (loser: Known): void {
    const alike = (a: Reading, b: Reading): boolean => !a.dense && !b.dense && a.id !== '' && a.id === b.id && a.concept === b.concept
    const mine = this.#readings.filter(r => !r.forgotten || !loser.#readings.some(l => !l.forgotten && alike(l, r)))
    const theirs = loser.#readings.filter(l => !mine.some(r => alike(l, r))).map(l => ({ ...l, counted: l.counted && this.#admittedAt === undefined }))
    const inOrder = (readings: readonly Reading[]): readonly Reading[] => readings.toSorted((a, b) => a.order - b.order)
    this.#readings = [...inOrder(theirs), ...inOrder(mine)].map((r, i) => ({ ...r, order: i + 1 }))
    this.#order = this.#readings.length
    this.#facts = { ...loser.#facts, ...this.#facts }
    if (this.#admittedAt === undefined) this.#dischargedAt ??= loser.#dischargedAt
    this.#admittedAt ??= loser.#admittedAt
    for (const [concept, { newest, quarters }] of loser.#taken) {
      const taken = this.#taken.get(concept)
      this.#taken.set(concept, { newest: Math.max(newest, taken?.newest ?? 0), quarters: new Set([...quarters, ...taken?.quarters ?? []]) })
    }
  }

  answer (e: Expression): Answer {
    const { value, time } = this.#value(e)
    return Number.isNaN(value) ? { value: NaN, time: NaN } : { value, time: time === Infinity ? this.#asOf : time }
  }

  /** Time is Infinity where nothing was read. */
  #value (e: Expression): Answer {
    const asOf = this.#asOf
    switch (e.op) {
      case 'constant': return timeless(e.value)
      case 'fact': return timeless(this.#fact(e.fact))
      case 'last': {
        const reading = this.#newest(e.concept)[e.back]
        return reading === undefined || (e.withinMs !== undefined && reading.time < asOf - e.withinMs) ? ABSENT : { value: reading.value, time: reading.time }
      }
      case 'age': {
        const reading = this.#newest(e.concept)[0]
        return reading === undefined ? ABSENT : { value: (asOf - reading.time) / HOUR, time: reading.time }
      }
      case 'countSinceAdmission': return timeless(this.#readings.filter(r => r.concept === e.concept && r.counted && !r.forgotten).length)
      case 'window': return e.kept === 'sparse' ? this.#overReadings(e) : this.#overTiles(e)
      case 'sampled': {
        const first = Math.floor((asOf - e.windowMs) / e.sampleMs)
        const inside = this.#of(e.concept, e.windowMs).filter(r => Math.floor(r.time / e.sampleMs) > first)
        return answered(inside, e.aggregate, () => overPoints(e.aggregate, e.at, grouped(inside, e.sampleMs).map(({ start, values }) => ({ t: start, value: average(values) })), asOf, asOf))
      }
      case 'missingRate': {
        const samples = Math.ceil(e.windowMs / e.everyMs)
        const newest = Math.floor(asOf / e.everyMs)
        const inside = this.#of(e.concept, e.windowMs).filter(r => Math.floor(r.time / e.everyMs) > newest - samples)
        return { value: (samples - grouped(inside, e.everyMs).length) / samples, time: newestOf(inside) }
      }
      case 'plus': return this.#pair(e.left, e.right, (l, r) => l + r)
      case 'minus': return this.#pair(e.left, e.right, (l, r) => l - r)
      case 'times': return this.#pair(e.left, e.right, (l, r) => l * r)
      case 'ratio': return this.#pair(e.left, e.right, (l, r) => r === 0 ? NaN : l / r)
      case 'least': return this.#pair(e.left, e.right, (l, r) => Math.min(l, r))
      case 'greatest': return this.#pair(e.left, e.right, (l, r) => Math.max(l, r))
      case 'coalesce': return e.of.map(part => this.#value(part)).find(({ value }) => !Number.isNaN(value)) ?? ABSENT
      case 'rounded': { const { value, time } = this.#value(e.of); return { value: Math.floor(value * 10 ** e.decimals + 0.5 + 1e-9) / 10 ** e.decimals, time } }
      case 'banded': { const { value, time } = this.#value(e.of); return Number.isNaN(value) ? ABSENT : { value: e.bands.find(({ upTo }) => value <= upTo)?.points ?? e.above, time } }
      case 'when': {
        const asked = this.#value(e.of)
        if (Number.isNaN(asked.value)) return ABSENT
        const chosen = this.#value(holds(asked.value, e.is, e.than) ? e.yes : e.no)
        return { value: chosen.value, time: Math.min(asked.time, chosen.time) }
      }
      case 'sumOfPresent': case 'maxOfPresent': {
        const present = e.of.map(part => this.#value(part)).filter(({ value }) => !Number.isNaN(value))
        if (present.length === 0) return ABSENT
        const values = present.map(({ value }) => value)
        return { value: e.op === 'sumOfPresent' ? values.reduce((a, b) => a + b) : Math.max(...values), time: Math.min(...present.map(({ time }) => time)) }
      }
      case 'countMissing': return timeless(e.of.filter(part => Number.isNaN(this.#value(part).value)).length)
      case 'members': throw new Error('patients are aggregated by another oracle')
    }
  }

  #pair (left: Expression, right: Expression, join: (l: number, r: number) => number): Answer {
    const [l, r] = [this.#value(left), this.#value(right)]
    return { value: join(l.value, r.value), time: Math.min(l.time, r.time) }
  }

  #fact (name: Fact): number { return name === 'hoursInUnit' ? this.#admittedAt === undefined ? NaN : (this.#asOf - this.#admittedAt) / HOUR : this.#facts[name] ?? NaN }

  #newest (concept: ConceptId): readonly Reading[] { return this.#readings.filter(r => r.concept === concept && !r.forgotten).sort((a, b) => b.time - a.time || b.order - a.order) }

  /** What a window of this length may see of a concept. */
  #of (concept: ConceptId, windowMs: number): readonly Reading[] { return this.#readings.filter(r => r.concept === concept && r.time <= this.#asOf && (!r.forgotten || windowMs > DAY)) }

  #overReadings (e: Extract<Expression, { op: 'window' }>): Answer {
    const end = this.#asOf - e.untilMs
    const inside = this.#of(e.concept, e.windowMs).filter(r => !r.dense && r.time >= this.#asOf - e.windowMs && (e.untilMs === 0 ? r.time <= end : r.time < end)).toSorted((a, b) => a.time - b.time || a.order - b.order)
    return answered(inside, e.aggregate, () => overPoints(e.aggregate, e.at, inside.map(r => ({ t: r.time, value: r.value })), end, this.#asOf))
  }

  #overTiles (e: Extract<Expression, { op: 'window' }>): Answer {
    const step = e.windowMs < 30_000 ? 100 : 1_000
    let tileMs = step
    while (tileMs * 30 < e.windowMs) tileMs += step
    const start = Math.ceil((this.#asOf - e.windowMs) / tileMs) * tileMs
    const inside = this.#of(e.concept, e.windowMs).filter(r => r.time >= start).toSorted((a, b) => a.time - b.time || Number(b.dense) - Number(a.dense) || a.order - b.order)
    const points = inside.map(r => ({ t: r.time, value: r.value }))
    const tiles = grouped(inside, tileMs)
    const share = (beyond: (value: number) => boolean): number => tiles.reduce((sum, { values }) => sum + values.filter(beyond).length / values.length * tileMs / HOUR, 0)
    return answered(inside, e.aggregate, () => {
      switch (e.aggregate) {
        case 'timeWeightedMean': return average(tiles.map(({ values }) => average(values)))
        case 'timeAbove': return share(value => value > e.at!)
        case 'timeBelow': return share(value => value < e.at!)
        case 'quantile': return bucketValue(e.concept, points.map(p => p.value).sort((a, b) => a - b)[Math.floor(e.at! * (points.length - 1))]!)
        default: return overPoints(e.aggregate, e.at, points, this.#asOf, this.#asOf)
      }
    })
  }
}

const ABSENT: Answer = { value: NaN, time: Infinity }
const timeless = (value: number): Answer => ({ value, time: Infinity })
const newestOf = (readings: readonly Reading[]): number => readings.length === 0 ? Infinity : Math.max(...readings.map(r => r.time))

function answered (inside: readonly Reading[], aggregate: Aggregate, value: () => number): Answer {
  if (inside.length === 0) return aggregate === 'count' || aggregate === 'distinctCount' ? timeless(0) : ABSENT
  return { value: value(), time: newestOf(inside) }
}

function holds (a: number, is: string, b: number): boolean {
  switch (is) {
    case '<': return a < b
    case '<=': return a <= b
    case '>': return a > b
    case '>=': return a >= b
    default: return a === b
  }
}

/** By start, oldest first. */
function grouped (readings: readonly Reading[], ms: number): readonly { readonly start: number, readonly values: readonly number[] }[] {
  const groups = new Map<number, number[]>()
  for (const r of readings.toSorted((a, b) => a.time - b.time)) { const start = Math.floor(r.time / ms) * ms; groups.set(start, [...groups.get(start) ?? [], r.value]) }
  return [...groups].map(([start, values]) => ({ start, values }))
}

/** An aggregate of points in order; the newest holds until `end`. */
function overPoints (aggregate: Aggregate, at: number | undefined, points: readonly Point[], end: number, asOf: number): number {
  const values = points.map(p => p.value)
  const n = values.length
  const total = (of: (p: Point) => number): number => points.reduce((s, p) => s + of(p), 0)
  const mean = average(values)
  const lasting = (i: number): number => (points[i + 1]?.t ?? end) - points[i]!.t
  const held = (which: (value: number) => boolean): number => points.reduce((ms, p, i) => ms + (which(p.value) ? lasting(i) : 0), 0)
  const since = (which: (value: number) => boolean): number => { const newest = points.findLast(p => which(p.value)); return newest === undefined ? NaN : (asOf - newest.t) / HOUR }
  switch (aggregate) {
    case 'count': return n
    case 'sum': return total(p => p.value)
    case 'mean': return mean
    case 'min': return Math.min(...values)
    case 'max': return Math.max(...values)
    case 'range': return Math.max(...values) - Math.min(...values)
    case 'variance': return n < 2 ? NaN : total(p => (p.value - mean) ** 2) / (n - 1)
    case 'deviation': return n < 2 ? NaN : Math.sqrt(total(p => (p.value - mean) ** 2) / (n - 1))
    case 'first': return values[0]!
    case 'last': return values.at(-1)!
    case 'delta': return values.at(-1)! - values[0]!
    case 'slope': {
      const first = points[0]!.t
      const meanT = average(points.map(p => p.t - first))
      return points.every(p => p.t === first) ? NaN : total(p => (p.t - first - meanT) * (p.value - mean)) / total(p => (p.t - first - meanT) ** 2) * HOUR
    }
    case 'quantile': {
      const sorted = values.toSorted((a, b) => a - b)
      const h = (n - 1) * at!
      const low = sorted[Math.floor(h)]!
      return low + (h - Math.floor(h)) * ((sorted[Math.floor(h) + 1] ?? low) - low)
    }
    case 'distinctCount': return new Set(values).size
    case 'timeWeightedMean': return end === points[0]!.t ? values.at(-1)! : points.reduce((s, p, i) => s + p.value * lasting(i), 0) / (end - points[0]!.t)
    case 'timeAbove': return held(value => value > at!) / HOUR
    case 'timeBelow': return held(value => value < at!) / HOUR
    case 'timeSinceAbove': return since(value => value > at!)
    case 'timeSinceBelow': return since(value => value < at!)
  }
}

function average (values: readonly number[]): number { return values.reduce((a, b) => a + b, 0) / values.length }

/** What DDSketch says of a value: that of its bucket. */
function bucketValue (concept: ConceptId, value: number): number {
  const [low, high] = CONCEPTS[concept].possible
  if (low <= 0 && Math.abs(value) < Math.max(-low, high) / 1_000) return 0
  return Math.sign(value) * 2 * GROWTH ** Math.ceil(Math.log(Math.abs(value)) / Math.log(GROWTH)) / (GROWTH + 1)
}
