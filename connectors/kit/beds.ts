import type { Database } from 'lmdb'
import type { Lmdb } from '../../streams/lmdb/index.ts'
import type { DurationMs, EventTimeMs } from '../../streams/time/index.ts'
import type { InboundEncounter } from './port.ts'

/** Seals an identifier for the disk, and opens it again. */
export interface Sealer { seal (plain: Buffer): Buffer, open (sealed: Buffer): Buffer }

/** Readings of devices come this late at most; before it nobody says who lay where. As long as messages are known again. */
export const BED_HISTORY_MS: DurationMs = 72 * 3_600_000
const MOVES_PER_STAY_MAX = 64
const SWEEP_EVERY = 1_000

/** From `at` the patient lies in `bed`; empty: has left. `seq`: in the order in which they were said. `visit`: pseudonym of its number; empty: not said. */
interface Move { readonly at: EventTimeMs, readonly seq: number, readonly bed: string, readonly visit: string }
/** `closed`: what a merged patient had; later movements go to the survivor's other one. */
interface Timeline { patient: string, readonly slot: number, closed: boolean, moves: Move[] }
interface Placement { readonly move: Move, readonly of: Timeline }
type Row = { readonly p: string, readonly c?: true, readonly m: readonly (readonly [at: number, seq: number, bed: string, visit?: string])[] } | { readonly p: string, readonly into: string }

/**
 * Who lay in which bed, and when. Each patient has movements by event time; of two with the same time the one that was said later holds, so a
 * cancellation that carries the time of what it cancels (HL7 v2.5.1, 3.4.1.6, EVN-6) leaves nothing of it. In a bed the stay that began last holds;
 * where it has ended the bed is empty: whoever was in it before does not come back. Sealed on disk, one row a patient. A lookup is a binary search.
 */
export class Beds {
  readonly #rows: Database<Buffer, string>
  readonly #sealer: Sealer
  readonly #onConflict: () => void
  readonly #timelines = new Map<string, Timeline>()
  readonly #all = new Map<number, Timeline>()
  readonly #aliases = new Map<string, { readonly into: string, readonly slot: number }>()
  /** By bed, in order of time and of saying. */
  readonly #byBed = new Map<string, Placement[]>()
  #seq = 0
  #slot = 0
  #newest: EventTimeMs = -Infinity
  #applied = 0

  /** `onConflict`: an admission found somebody else in the bed; the newer one has it. */
  constructor (root: Lmdb, sealer: Sealer, onConflict: () => void = () => {}) {
    this.#rows = root.openDB<Buffer, string>('bed-history', { encoding: 'binary' })
    this.#sealer = sealer
    this.#onConflict = onConflict
    this.#load(root.openDB<Buffer, string>('beds', { encoding: 'binary' }))
  }

  /** Whoever lay there at that moment, by default now; undefined: nobody, or the moment is older than the history. */
  patientIn (ward: string, bed: string, at: EventTimeMs = Infinity): string | undefined { return at < this.#newest - BED_HISTORY_MS ? undefined : this.#occupant(nameOf(ward, bed), at) }

  /** Whether this movement was applied; true of those that say of no bed. */
  has (patient: string, { action, eventTime: at, ward, bed }: InboundEncounter): boolean {
    if (action !== 'discharge' && bed === '') return true
    const [own, name] = [this.#follow(patient), action === 'discharge' ? '' : nameOf(ward, bed)]
    return at < this.#newest - BED_HISTORY_MS || [...this.#all.values()].some(one => one.patient === own && one.moves.some(move => move.at === at && move.bed === name))
  }

  apply (patient: string, { action, eventTime: at, ward, bed, visit, move, visitAfter }: InboundEncounter): void {
    if (move !== undefined) { if (visit !== undefined) this.#moveVisit(patient, move.to.id, visit, visitAfter ?? visit, at); return }
    if (action !== 'discharge' && bed === '') return
    const name = action === 'discharge' ? '' : nameOf(ward, bed)
    const own = this.#follow(patient)
    if (name !== '') {
      const lying = this.#occupant(name, at)
      if (action === 'update' && !this.#mayPlace(own, lying, at)) return
      if (lying !== undefined && lying !== own) this.#onConflict()
    }
    this.#newest = Math.max(this.#newest, at)
    const timeline = this.#timelineOf(own)
    this.#add(timeline, { at, seq: ++this.#seq, bed: name, visit: visit ?? (action === 'admit' ? '' : visitAt(timeline, at)) })
    this.#prune(timeline)
    this.#save(timeline)
    if (++this.#applied % SWEEP_EVERY === 0) for (const one of this.#all.values()) this.#forgetWhereOver(one)
  }

  /** What the loser had is the survivor's. From `at` on the survivor lies where it lies itself, else in the loser's bed. */
  merge (loser: string, survivor: string, at: EventTimeMs = this.#newest): void {
    const [from, to] = [this.#follow(loser), this.#follow(survivor)]
    if (from === to) return
    this.#alias(from, to)
    const theirs = this.#timelines.get(from)
    if (theirs === undefined) return
    this.#timelines.delete(from)
    const own = this.#timelines.get(to)
    for (const one of this.#all.values()) if (one.patient === from) { one.patient = to; this.#save(one) }
    const [bed, ownBed] = [theirs.moves.at(-1)?.bed ?? '', own?.moves.at(-1)?.bed ?? '']
    if (own !== undefined && (ownBed !== '' || bed === '')) {
      if (bed !== '' && bed === ownBed) this.#drop(theirs, theirs.moves.at(-1)!)
      else if (bed !== '') this.#add(theirs, { at: Math.max(at, theirs.moves.at(-1)!.at), seq: ++this.#seq, bed: '', visit: '' })
      theirs.closed = true
    } else {
      if (own !== undefined) { own.closed = true; this.#save(own) }
      this.#timelines.set(to, theirs)
    }
    this.#save(theirs)
  }

  /**
   * What was said of the visit was said of the wrong patient: it is the other's, as if it had been said of that one. Who lies there now lies there
   * under the other name, wherever else the other was thought to be.
   */
  #moveVisit (loser: string, survivor: string, visit: string, after: string, at: EventTimeMs): void {
    const [from, to] = [this.#follow(loser), this.#follow(survivor)]
    if (from === to) return
    const now = this.#timelines.get(from)?.moves.at(-1)
    const gone = [...this.#all.values()].filter(({ patient }) => patient === from).flatMap(theirs => theirs.moves.filter(one => one.visit === visit).map(one => ({ one, theirs })))
    if (gone.length === 0) return
    const own = this.#timelineOf(to)
    for (const { one, theirs } of gone) {
      this.#drop(theirs, one)
      this.#add(own, { ...one, visit: after })
      this.#save(theirs)
    }
    const last = own.moves.at(-1)
    if (now?.visit === visit && now.bed !== '' && last !== undefined && last.bed !== now.bed) this.#add(own, { at: Math.max(at, last.at), seq: ++this.#seq, bed: now.bed, visit: after })
    this.#prune(own)
    this.#save(own)
  }

  /** An update (A08) throws nobody out of bed, and does not bring back who has left: hospitals send updates long after a discharge. */
  #mayPlace (patient: string, lying: string | undefined, at: EventTimeMs): boolean {
    if (lying !== undefined) return false
    const last = this.#timelines.get(patient)?.moves.findLast(move => move.at <= at)
    return last === undefined || last.bed !== ''
  }

  #occupant (bed: string, at: EventTimeMs): string | undefined {
    const placements = this.#byBed.get(bed)
    if (placements === undefined) return undefined
    for (let i = countUpTo(placements, at) - 1; i >= 0; i--) {
      const { move, of } = placements[i]!
      const end = of.moves[of.moves.indexOf(move) + 1]?.at ?? Infinity
      if (end > move.at) return at < end || (at === Infinity && end === Infinity) ? of.patient : undefined
    }
    return undefined
  }

  #add (timeline: Timeline, move: Move): void {
    const { moves } = timeline
    let i = moves.length
    while (i > 0 && isBefore(move, moves[i - 1]!)) i--
    moves.splice(i, 0, move)
    if (move.bed !== '') this.#place(move, timeline)
  }

  #place (move: Move, of: Timeline): void {
    const placements = this.#byBed.get(move.bed)
    if (placements === undefined) { this.#byBed.set(move.bed, [{ move, of }]); return }
    let i = placements.length
    while (i > 0 && isBefore(move, placements[i - 1]!.move)) i--
    placements.splice(i, 0, { move, of })
  }

  #drop (timeline: Timeline, move: Move): void {
    timeline.moves = timeline.moves.filter(one => one !== move)
    const rest = (this.#byBed.get(move.bed) ?? []).filter(one => one.move !== move)
    if (rest.length === 0) this.#byBed.delete(move.bed); else this.#byBed.set(move.bed, rest)
  }

  /** A movement goes when the next one of the patient is older than the history; the newest ones stay in any case. */
  #prune (timeline: Timeline): void {
    const { moves } = timeline
    for (let next = moves[1]; next !== undefined && (next.at < this.#newest - BED_HISTORY_MS || moves.length > MOVES_PER_STAY_MAX); next = timeline.moves[1]) this.#drop(timeline, timeline.moves[0]!)
  }

  /** Nothing that anybody may still ask for: left, or somebody else has had the bed, for longer than the history. */
  #forgetWhereOver (timeline: Timeline): void {
    this.#prune(timeline)
    const last = timeline.moves.at(-1)
    const oldest = this.#newest - BED_HISTORY_MS
    if (last !== undefined && (last.at >= oldest || (last.bed !== '' && !this.#supersededBefore(last, oldest)))) return
    for (const move of timeline.moves) this.#drop(timeline, move)
    this.#all.delete(timeline.slot)
    if (this.#timelines.get(timeline.patient) === timeline) this.#timelines.delete(timeline.patient)
    void this.#rows.remove(String(timeline.slot))
  }

  #supersededBefore ({ bed, at, seq }: Move, oldest: EventTimeMs): boolean {
    return (this.#byBed.get(bed) ?? []).some(({ move, of }) => move.at < oldest && (move.at > at || (move.at === at && move.seq > seq)) && (of.moves[of.moves.indexOf(move) + 1]?.at ?? Infinity) > move.at)
  }

  #timelineOf (patient: string): Timeline {
    let timeline = this.#timelines.get(patient)
    if (timeline === undefined) {
      timeline = { patient, slot: ++this.#slot, closed: false, moves: [] }
      this.#timelines.set(patient, timeline)
      this.#all.set(timeline.slot, timeline)
    }
    return timeline
  }

  /** Chains are short, and have no circle: the intake refuses a merge that would close one. */
  #follow (patient: string): string {
    let at = patient
    for (let next = this.#aliases.get(at); next !== undefined; next = this.#aliases.get(at)) at = next.into
    return at
  }

  #alias (loser: string, into: string): void {
    const slot = ++this.#slot
    this.#aliases.set(loser, { into, slot })
    this.#write(slot, { p: loser, into })
  }

  #save ({ patient, slot, closed, moves }: Timeline): void { this.#write(slot, { p: patient, ...closed ? { c: true as const } : {}, m: moves.map(({ at, seq, bed, visit }) => visit === '' ? [at, seq, bed] : [at, seq, bed, visit]) }) }
  #write (slot: number, row: Row): void { void this.#rows.put(String(slot), this.#sealer.seal(Buffer.from(JSON.stringify(row)))) }

  #load (before: Database<Buffer, string>): void {
    for (const { key, value } of this.#rows.getRange({})) {
      const slot = Number(key)
      const row = JSON.parse(this.#sealer.open(value).toString()) as Row
      this.#slot = Math.max(this.#slot, slot)
      if ('into' in row) { this.#aliases.set(row.p, { into: row.into, slot }); continue }
      const timeline: Timeline = { patient: row.p, slot, closed: row.c === true, moves: row.m.map(([at, seq, bed, visit = '']) => ({ at, seq, bed, visit })) }
      this.#all.set(slot, timeline)
      if (!timeline.closed) this.#timelines.set(row.p, timeline)
      for (const move of timeline.moves) {
        this.#seq = Math.max(this.#seq, move.seq)
        this.#newest = Math.max(this.#newest, move.at)
        if (move.bed !== '') this.#place(move, timeline)
      }
    }
    for (const { key, value } of before.getRange({})) { // the table of earlier versions: who lies where, without times
      const timeline = this.#timelineOf(this.#sealer.open(value).toString())
      this.#add(timeline, { at: 0, seq: ++this.#seq, bed: key, visit: '' })
      this.#save(timeline)
      void before.remove(key)
    }
  }
}

/** How many of the placements, which are in order, begin up to that moment. */
function countUpTo (placements: readonly Placement[], at: EventTimeMs): number {
  let [low, high] = [0, placements.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (placements[middle]!.move.at <= at) low = middle + 1; else high = middle
  }
  return low
}

function isBefore (one: Move, other: Move): boolean { return one.at < other.at || (one.at === other.at && one.seq < other.seq) }

/** The visit that a patient was there for: who moves or leaves without a number does so in that one. */
function visitAt ({ moves }: Timeline, at: EventTimeMs): string { return moves.findLast(move => move.at <= at)?.visit ?? '' }

function nameOf (ward: string, bed: string): string { return `${ward}|${bed}` }
