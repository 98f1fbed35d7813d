import type { EventTimeMs } from '../../streams/time/index.ts'
import { COURSE_NAMES, endOf } from './courses.ts'
import type { Episode, Laboratory } from './courses.ts'
import { chartedLines, laboratoryLines } from './results.ts'
import { drawLateness } from './lateness.ts'
import { movementMessage, resultMessage, WARD } from './messages.ts'
import type { Movement, ResultSet } from './messages.ts'
import { Monitor } from './monitor.ts'
import { newPerson } from './people.ts'
import type { Person } from './people.ts'
import { Body } from './physiology.ts'
import { DueQueue } from './queue.ts'
import type { Random } from './random.ts'
import { openingEpisodes } from './scenario.ts'
import type { Scenario } from './scenario.ts'
import type { WardStep } from './ward-step.ts'

export interface WardOptions {
  readonly random: Random
  /** Real time of simulated time 0. */
  readonly startMs: EventTimeMs
  /** As many beds as patients. */
  readonly patients: number
  /** Simulated seconds in a real second. */
  readonly speed: number
  readonly scenario: Scenario
}

const S = 1_000
const MIN = 60 * S
const HOUR = 60 * MIN
/** Charts and laboratory results of these hours before the start are sent at the start, as a feed does that catches up. */
const BACKLOG_MS = 6 * HOUR
const MONITOR_PERIOD_MS = S
/** Above this speed a monitor sends no more than two messages a real second. */
const SPEED_THINNED_ABOVE = 10
const MONITOR_REAL_PERIOD_MIN_MS = 500

interface Stay {
  readonly person: Person
  readonly body: Body
  readonly monitor: Monitor
  readonly hospitalAdmissionAt: EventTimeMs
  bed: Bed
  monitoredFromMs: number
  left: boolean
}
interface Bed { readonly name: string, readonly device: string, seq: number, stay: Stay | undefined }

const CHEMISTRY: readonly Laboratory[] = ['creatinine', 'ureaNitrogen', 'sodium', 'potassium', 'bicarbonate', 'glucose', 'bilirubin']
const BLOOD_COUNT: readonly Laboratory[] = ['wbc', 'hemoglobin', 'platelets']

/**
 * A ward in simulated time (milliseconds, 0 at the start). Happenings are run in their order; what they send goes to the outbox,
 * due at once or, for charted and laboratory values, when somebody has stored them. Simulated time runs `speed` times as fast as
 * the real one and event times are real ones: physiology is faster, lateness shorter, and no event lies in the future.
 */
export class Ward {
  readonly #options: WardOptions
  readonly #happenings = new DueQueue<() => void>()
  readonly #outbox = new DueQueue<WardStep>()
  readonly #beds: readonly Bed[]
  readonly #run: string
  #nowMs = -BACKLOG_MS
  #people = 0
  #messages = 0
  #orders = 0

  constructor (options: WardOptions) {
    this.#options = options
    this.#run = Math.floor(options.startMs / S).toString(36).toUpperCase()
    this.#beds = Array.from({ length: options.patients }, (_, i) => {
      const name = String(i + 1).padStart(2, '0')
      return { name, device: `monitor-${name}`, seq: 0, stay: undefined }
    })
    this.#beds.forEach((bed, i) => { this.#open(bed, i) })
    this.#at(25 * MIN, () => { this.#dischargeRound() })
    if (options.scenario === 'ward') this.#at(this.#untilNextEpisode(), () => { this.#newEpisode() })
  }

  /** The next step, by due time. */
  next (): WardStep {
    for (;;) {
      const happeningMs = this.#happenings.nextDueMs ?? Infinity
      if ((this.#outbox.nextDueMs ?? Infinity) <= this.#real(happeningMs)) return this.#outbox.take() as WardStep
      this.#nowMs = happeningMs
      this.#happenings.take()?.()
    }
  }

  /** A patient who is there at the start, and the routine around the bed. */
  #open (bed: Bed, index: number): void {
    const { random, scenario, patients, startMs } = this.#options
    const stay = this.#newStay(bed, random.between(-60, -8) * HOUR, scenario === 'ward' ? openingEpisodes(index, patients) : [])
    stay.monitoredFromMs = this.#sim(3 * S)
    this.#move(stay, 'A01', stay.person.admittedMs, Math.floor(index * Math.min(20, 2 * S / patients)))
    this.#outbox.add(startMs + S, { kind: 'association', dueMs: startMs + S, device: bed.device, payload: JSON.stringify({ ward: WARD, bed: bed.name }) })
    this.#at(this.#sim(3 * S) + random.between(0, 1) * this.#monitorPeriodMs, () => { this.#monitor(bed) })
    this.#routine(stay, -BACKLOG_MS)
    if (stay.body.illnessAt(0) > 0.95) this.#at(this.#sim(30 * S), () => { this.#chart(stay, 0) })
  }

  #newStay (bed: Bed, admittedMs: number, episodes: readonly Episode[]): Stay {
    const { startMs } = this.#options
    const random = this.#options.random.fork()
    const person = newPerson(++this.#people, startMs, admittedMs, random)
    person.episodes.push(...episodes)
    const arterialLine = episodes.some(({ height }) => height >= 0.8) || random.chance(0.15)
    const stay: Stay = { person, body: new Body(person, startMs), monitor: new Monitor(random.fork(), arterialLine), hospitalAdmissionAt: this.#real(admittedMs - random.between(0, 20) * HOUR), bed, monitoredFromMs: Infinity, left: false }
    bed.stay = stay
    return stay
  }

  /** Charting and laboratory draws from now to discharge. */
  #routine (stay: Stay, fromMs: number): void {
    const { random } = stay.person
    const chart = (): void => { this.#chart(stay); this.#forStay(stay, random.chance(0.1) ? 2 * HOUR : (stay.body.illnessAt(this.#nowMs) > 0.5 ? 0.5 : 1) * HOUR + random.between(-5, 5) * MIN, chart) }
    const panel = (): void => { this.#panel(stay); this.#forStay(stay, (stay.body.illnessAt(this.#nowMs) > 0.3 ? 6 : 12) * HOUR * random.between(0.8, 1.2), panel) }
    const gas = (): void => { if (stay.body.illnessAt(this.#nowMs) > 0.2) this.#laboratory(stay, '24336-0^Blood gas^LN', laboratoryLines(stay.body, ['lactate'], this.#nowMs)); this.#forStay(stay, random.between(2, 4) * HOUR, gas) }
    const update = (): void => { this.#move(stay, 'A08', this.#nowMs); this.#forStay(stay, random.between(6, 12) * HOUR, update) }
    const toStart = fromMs - this.#nowMs
    this.#forStay(stay, toStart + random.between(0, 1) * HOUR, chart)
    this.#forStay(stay, toStart + random.between(2, 5) * HOUR, panel)
    this.#forStay(stay, toStart + random.between(3, 5) * HOUR, gas)
    this.#forStay(stay, Math.max(-this.#nowMs, toStart) + random.between(0.3, 8) * HOUR, update)
  }

  #forStay (stay: Stay, afterMs: number, run: () => void): void { this.#at(this.#nowMs + afterMs, () => { if (!stay.left) run() }) }

  #chart (stay: Stay, latenessMs: number = drawLateness(stay.person.random)): void {
    this.#store(stay, { feed: 'SIM-CHART', order: this.#order(), title: '85353-1^Vital signs^LN', takenAt: this.#real(this.#nowMs), lines: chartedLines(stay.body, this.#nowMs) }, latenessMs)
  }

  #panel (stay: Stay): void {
    this.#laboratory(stay, '24323-8^Chemistry^LN', laboratoryLines(stay.body, CHEMISTRY, this.#nowMs))
    this.#laboratory(stay, '58410-2^Blood count^LN', laboratoryLines(stay.body, BLOOD_COUNT, this.#nowMs))
  }

  /** One in ten panels goes out with a potassium from a haemolysed sample, and is corrected later. */
  #laboratory (stay: Stay, title: string, lines: ResultSet['lines']): void {
    const { random } = stay.person
    const set: ResultSet = { feed: 'SIM-LIS', order: this.#order(), title, takenAt: this.#real(this.#nowMs), lines }
    const potassium = lines.find(line => line.code.startsWith('2823-3'))
    const lateness = drawLateness(random)
    if (potassium === undefined || !random.chance(0.1)) { this.#store(stay, set, lateness); return }
    const haemolysed = { ...potassium, value: (Number(potassium.value) + 1.8).toFixed(1) }
    this.#store(stay, { ...set, lines: lines.map(line => line === potassium ? haemolysed : line) }, lateness)
    this.#store(stay, { ...set, lines: [{ ...potassium, status: 'C' }] }, Math.max(lateness, -this.#nowMs) + random.between(20, 60) * MIN)
  }

  #monitor (bed: Bed): void {
    const { stay } = bed
    this.#at(this.#nowMs + this.#monitorPeriodMs, () => { this.#monitor(bed) })
    if (stay === undefined || this.#nowMs < stay.monitoredFromMs) return
    const numerics = stay.monitor.read(this.#nowMs, stay.body.vitalsAt(this.#nowMs))
    if (numerics === undefined) return
    const dueMs = this.#real(this.#nowMs)
    this.#outbox.add(dueMs, { kind: 'numerics', dueMs, device: bed.device, payload: JSON.stringify({ time: dueMs, seq: bed.seq++, numerics }) })
  }

  /** Someone who is well goes home; a neighbour may move into the bed; a new patient takes the free one. */
  #dischargeRound (): void {
    const { random } = this.#options
    this.#at(this.#nowMs + random.between(3, 5) * HOUR, () => { this.#dischargeRound() })
    const leaver = this.#wellestStay()
    if (leaver === undefined) return
    leaver.left = true
    leaver.bed.stay = undefined
    this.#move(leaver, 'A03', this.#nowMs)
    const freed = leaver.bed
    const neighbour = random.chance(0.5) ? this.#beds.find(bed => bed.stay !== undefined && bed !== freed)?.stay : undefined
    this.#at(this.#nowMs + this.#settleMs + 5 * MIN, () => { if (neighbour?.left === false) this.#transfer(neighbour, freed) })
    this.#at(this.#nowMs + 2 * this.#settleMs + random.between(12, 30) * MIN, () => { this.#admit() })
  }

  #transfer (stay: Stay, to: Bed): void {
    if (to.stay !== undefined) return
    const from = stay.bed
    from.stay = undefined
    to.stay = stay
    stay.bed = to
    stay.monitoredFromMs = this.#nowMs + this.#settleMs
    this.#move(stay, 'A02', this.#nowMs, 0, from.name)
  }

  #admit (): void {
    const { random, scenario } = this.#options
    const bed = this.#beds.find(one => one.stay === undefined)
    if (bed === undefined) return
    const episodes = scenario === 'ward' && random.chance(0.3) ? [this.#drawEpisode(this.#nowMs + random.between(0.5, 4) * HOUR)] : []
    const stay = this.#newStay(bed, this.#nowMs, episodes)
    stay.monitoredFromMs = this.#nowMs + this.#settleMs
    this.#move(stay, 'A01', this.#nowMs)
    this.#routine(stay, this.#nowMs + this.#settleMs)
  }

  /** Whoever has been here longest of those who are well and have nothing before them. */
  #wellestStay (): Stay | undefined {
    return this.#beds.flatMap(bed => bed.stay === undefined ? [] : [bed.stay])
      .filter(stay => stay.person.episodes.every(episode => endOf(episode) < this.#nowMs) && stay.person.admittedMs < this.#nowMs - 6 * HOUR)
      .sort((a, b) => a.person.admittedMs - b.person.admittedMs)[0]
  }

  #newEpisode (): void {
    this.#at(this.#nowMs + this.#untilNextEpisode(), () => { this.#newEpisode() })
    const well = this.#beds.flatMap(bed => bed.stay === undefined ? [] : [bed.stay]).filter(stay => stay.person.episodes.every(episode => endOf(episode) < this.#nowMs))
    if (well.length > 0) this.#options.random.pick(well).person.episodes.push(this.#drawEpisode(this.#nowMs))
  }

  #drawEpisode (onsetMs: number): Episode {
    const { random } = this.#options
    return { course: random.pick(COURSE_NAMES), onsetMs, riseMs: random.between(2, 8) * HOUR, stayMs: random.between(1, 4) * HOUR, fallMs: random.between(4, 10) * HOUR, height: random.between(0.6, 1) }
  }

  /** Exponential: about a fifth of the beds deteriorate at a time. */
  #untilNextEpisode (): number { return -Math.log(1 - this.#options.random.next()) * 54 * HOUR / this.#options.patients }

  #move (stay: Stay, trigger: Movement['trigger'], atMs: number, delayRealMs = 0, priorBed = ''): void {
    const dueMs = Math.max(this.#options.startMs, this.#real(this.#nowMs)) + delayRealMs
    const movement: Movement = { trigger, at: this.#real(atMs), bed: stay.bed.name, hospitalAdmissionAt: stay.hospitalAdmissionAt, ...(priorBed === '' ? {} : { priorBed }) }
    const controlId = this.#controlId()
    this.#outbox.add(dueMs, { kind: 'hl7', dueMs, controlId, text: movementMessage(controlId, dueMs, stay.person, movement) })
  }

  /** Sends a set once it is stored. What was stored before the start comes just after the admissions. */
  #store (stay: Stay, set: ResultSet, latenessMs: number): void {
    const dueMs = Math.max(this.#options.startMs + 1.5 * S, this.#real(this.#nowMs + latenessMs))
    const controlId = this.#controlId()
    this.#outbox.add(dueMs, { kind: 'hl7', dueMs, controlId, text: resultMessage(controlId, dueMs, stay.person, stay.bed.name, set) })
  }

  #at (simMs: number, run: () => void): void { this.#happenings.add(simMs, run) }

  get #monitorPeriodMs (): number { return this.#options.speed <= SPEED_THINNED_ABOVE ? MONITOR_PERIOD_MS : this.#options.speed * MONITOR_REAL_PERIOD_MIN_MS }

  /** Until a movement has surely arrived and the monitor is connected: 2 simulated minutes, and at least 3 real seconds. */
  get #settleMs (): number { return Math.max(2 * MIN, this.#sim(3 * S)) }

  #real (simMs: number): EventTimeMs { return Math.floor(this.#options.startMs + simMs / this.#options.speed) }

  #sim (realMs: number): number { return realMs * this.#options.speed }

  /** Unique over restarts too: the second of the start is part of it. At most 20 characters (MSH-10). */
  #controlId (): string { return `SIM${this.#run}${String(++this.#messages).padStart(7, '0')}` }

  #order (): string { return `F${this.#run}${++this.#orders}` }
}
