import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash } from 'node:crypto'
import type { Observation } from '../../streams/events/index.ts'
import type { EventTimeMs } from '../../streams/time/index.ts'
import type { ConnectorKind, KeptTable, ResultName } from './connector-kind.ts'
import type { Feed, MapContext } from './feed.ts'
import type { MappingTable } from './mapping.ts'
import type { Fault, Superseded, Taken } from './outcome.ts'
import type { ArchivedInput, InboundMessage, InboundObservations, Intake, PublishOutcome, RefusedInput } from './port.ts'

/** A refused message that speaks of results: which, and of which of them something newer was taken since. */
export interface LateLetter { readonly order: number, readonly results: readonly string[], readonly newer: readonly string[], readonly file?: string }

export interface LateResultsOptions {
  readonly intake: Intake
  readonly mapping: MappingTable
  readonly resultsIn: (raw: Buffer, context: MapContext) => readonly ResultName[]
  readonly lettersMax?: number
}

/** A name of a result that is published. `by`: under which a letter waits for it; `newer`: what the letter leaves out then. */
interface Published { readonly by: string, readonly newer: string, readonly resultId: string }

/** A retry that is under way. */
interface Run { readonly key: string, readonly letter: LateLetter, leftOut: number }

const LETTERS_MAX = 50_000
const DUPLICATE: Promise<PublishOutcome> = Promise.resolve({ kind: 'duplicate' })
const RESULTS_MAX = 1_000

/**
 * Of one result what came last holds. A dead letter that is retried comes late, and what corrected or withdrew its results may have been taken since: those
 * are left out of it. What was refused is remembered by the identity of its results, on disk; what is published is compared with that, which costs
 * nothing while no letter waits for the result.
 */
export class LateResults implements Intake {
  readonly #options: LateResultsOptions
  readonly #letters = new Map<string, LateLetter>()
  readonly #byResult = new Map<string, Set<string>>()
  readonly #retrying = new AsyncLocalStorage<Run>()
  #table: KeptTable<LateLetter> | undefined
  #leftOut: (n: number) => void = () => {}
  #order = 0

  constructor (options: LateResultsOptions) { this.#options = options }

  /** Before anything is taken. */
  guard<F extends Fault> (feed: Feed<F>, table: KeptTable<LateLetter>): void {
    this.#table = table
    this.#leftOut = n => { feed.count('stale-result', n) }
    for (const [key, letter] of [...table.load()].sort(([, a], [, b]) => a.order - b.order)) this.#hold(key, letter)
    feed.guardRetries((raw, retry) => this.#retry(raw, retry))
  }

  publish (message: InboundMessage): Promise<PublishOutcome> {
    const { event } = message
    return this.#letters.size === 0 || event.type !== 'observations' ? this.#options.intake.publish(message) : this.#compare(message, event)
  }

  /** Marks and publishes in one turn, so that messages stay in their order; both are durable before anything is answered. */
  async #compare (message: InboundMessage, event: InboundObservations): Promise<PublishOutcome> {
    const { intake } = this.#options
    const run = this.#retrying.getStore()
    const names = event.observations.map(one => namesOf(one, message.patient.id))
    const marked = this.#mark(names.flat(), run)
    const held = run === undefined ? [] : this.#letters.get(run.key)?.newer ?? []
    const observations = held.length === 0 ? event.observations : event.observations.filter((_, i) => !names[i]!.some(({ newer }) => held.includes(newer)))
    const leftOut = event.observations.length - observations.length
    if (run !== undefined) run.leftOut += leftOut
    const publishing = observations.length === 0 ? DUPLICATE : intake.publish(leftOut === 0 ? message : { ...message, event: { ...event, observations } })
    const [outcome] = await Promise.all([publishing, this.#save(marked)])
    if (outcome.kind === 'duplicate') await this.#unmark(marked, names.flat()) // an old word that is said again is no newer one
    return outcome
  }

  async refuse (refused: RefusedInput): Promise<void> {
    await this.#remember(refused.raw)
    await this.#options.intake.refuse(refused)
  }

  archive (archived: ArchivedInput): Promise<void> { return this.#options.intake.archive(archived) }
  patientInBed (ward: string, bed: string, at?: number): string | undefined { return this.#options.intake.patientInBed(ward, bed, at) }
  now (): number { return this.#options.intake.now() }
  count (source: string, what: string, n?: number): void { this.#options.intake.count(source, what, n) }

  async #retry<T> (raw: Buffer, retry: () => Promise<T>): Promise<T | Superseded> {
    const key = keyOf(raw)
    const letter = this.#letters.get(key)
    if (letter === undefined) return await retry()
    const run: Run = { key, letter, leftOut: 0 }
    const taken = await this.#retrying.run(run, retry)
    const { kind, published } = taken as Taken & { readonly published?: number }
    if (kind !== 'taken') return taken // it stays open
    this.#drop(key)
    await this.#table?.save(key, undefined)
    if (run.leftOut > 0) this.#leftOut(run.leftOut)
    return run.leftOut > 0 && published === 0 ? { kind: 'superseded' } : taken
  }

  async #remember (raw: Buffer): Promise<void> {
    const key = keyOf(raw)
    if (this.#table === undefined || this.#letters.has(key)) return
    const found = this.#resultsIn(raw)
    const results = [...new Set(found.flatMap(letterName))].slice(0, RESULTS_MAX)
    if (results.length === 0) return
    const file = found[0]?.row?.file
    const from = this.#retrying.getStore() // a part of an older letter is as old
    const before = from === undefined ? undefined : this.#letters.get(from.key)
    this.#hold(key, { order: before?.order ?? this.#order + 1, results, newer: (before?.newer ?? []).filter(one => results.some(name => one === name || one.startsWith(`${name}\n`))), ...file === undefined ? {} : { file } })
    await this.#save([key])
    const [oldest] = this.#letters.keys()
    if (this.#letters.size <= (this.#options.lettersMax ?? LETTERS_MAX) || oldest === undefined) return
    this.#drop(oldest)
    await this.#table.save(oldest, undefined)
  }

  #resultsIn (raw: Buffer): readonly ResultName[] {
    const { intake, mapping, resultsIn } = this.#options
    return resultsIn(raw, { now: intake.now(), mapping: mapping.current, patientInBed: () => undefined, unmapped: () => {} })
  }

  /** Letters that wait for one of these results, and are older than what speaks of it now. Answers those that did not know yet. */
  #mark (names: readonly Published[], run: Run | undefined): readonly string[] {
    const changed = new Set<string>()
    for (const { by, newer, resultId } of names) {
      for (const key of this.#byResult.get(by) ?? []) {
        const letter = this.#letters.get(key)!
        if (letter.newer.includes(newer) || run !== undefined && letter.order >= run.letter.order) continue
        if (isByMoment(by) && letter.file !== undefined && resultId.startsWith(letter.file)) continue // two rows of one file are two results
        this.#letters.set(key, { ...letter, newer: [...letter.newer, newer] })
        changed.add(key)
      }
    }
    return [...changed]
  }

  async #unmark (keys: readonly string[], published: readonly Published[]): Promise<void> {
    const names = published.map(({ newer }) => newer)
    for (const key of keys) {
      const letter = this.#letters.get(key)
      if (letter !== undefined) this.#letters.set(key, { ...letter, newer: letter.newer.filter(one => !names.includes(one)) })
    }
    await this.#save(keys)
  }

  async #save (keys: readonly string[]): Promise<void> { await Promise.all(keys.map(key => this.#table?.save(key, this.#letters.get(key)))) }

  #hold (key: string, letter: LateLetter): void {
    this.#letters.set(key, letter)
    this.#order = Math.max(this.#order, letter.order)
    for (const name of letter.results) {
      const keys = this.#byResult.get(name) ?? new Set()
      this.#byResult.set(name, keys.add(key))
    }
  }

  #drop (key: string): void {
    for (const name of this.#letters.get(key)?.results ?? []) {
      const keys = this.#byResult.get(name)
      keys?.delete(key)
      if (keys?.size === 0) this.#byResult.delete(name)
    }
    this.#letters.delete(key)
  }
}

/** The intake of a feed of this kind; undefined: its results have no identities that a later message could name. */
export function lateResultsOf<Options, F extends Fault> (kind: ConnectorKind<Options, F>, options: Options, parts: Pick<LateResultsOptions, 'intake' | 'mapping'>): LateResults | undefined {
  return kind.resultsIn === undefined ? undefined : new LateResults({ ...parts, resultsIn: (raw, context) => kind.resultsIn!(raw, context, options) })
}

function keyOf (raw: Buffer): string { return createHash('sha256').update(raw).digest('base64url') }

/** An identity that begins with the number of an order is one wherever it stands; one without (`|8867-4||...`) only within its patient. */
function isOwn (resultId: string): boolean { return resultId !== '' && !resultId.startsWith('|') }

/** The names under which a refused result waits. */
function letterName ({ patient, resultId, row }: ResultName): readonly string[] {
  if (row === undefined) return isOwn(resultId) ? [resultId] : patient === undefined || resultId === '' ? [] : [nameOf(resultId, patient)]
  if (patient === undefined) return []
  return resultId !== '' ? [byNumber(patient, resultId)] : row.at === undefined ? [] : [byMoment(patient, row.at)]
}

/** All names under which a letter may wait for a result. */
function namesOf ({ resultId, eventTime, concept }: Observation, patient: string): readonly Published[] {
  if (resultId === '') return [] // of a device: nobody corrects it
  const [own, number, moment] = [nameOf(resultId, patient), byNumber(patient, resultId), byMoment(patient, eventTime)]
  return [{ by: own, newer: own, resultId }, { by: number, newer: `${number}\n${concept}`, resultId }, { by: moment, newer: `${moment}\n${concept}`, resultId }]
}

function byNumber (patient: string, number: string): string { return `\n#${patient}\n${number}` }
function byMoment (patient: string, at: EventTimeMs): string { return `\n@${patient}\n${at}` }
function isByMoment (name: string): boolean { return name.startsWith('\n@') }

function nameOf (resultId: string, patient: string): string { return resultId === '' || isOwn(resultId) ? resultId : `${patient}\n${resultId}` }
