import { assert, LatidoError } from '../../streams/errors/index.ts'
import type { Reply, Request, WorkerLike } from './protocol.ts'
import { WorkerLink } from './worker-link.ts'

export interface QueueOptions {
  /** Small calls that wait together go to the worker as one, up to this many rows. */
  readonly batchRowsMax: number
  /** A call that would wait behind more rows than this is refused. */
  readonly queueRowsMax: number
  /** Deaths of the worker in succession before it is given up. */
  readonly restartsMax: number
}

export const QUEUE_DEFAULTS: QueueOptions = { batchRowsMax: 256, queueRowsMax: 65_536, restartsMax: 3 }

interface ScoreJob { readonly kind: 'score', readonly model: string, readonly rows: Float32Array<ArrayBuffer>, readonly count: number, resolve (raw: Float32Array): void, reject (error: LatidoError): void }
interface ExplainJob { readonly kind: 'explain', readonly model: string, readonly row: Float64Array<ArrayBuffer>, readonly count: 1, resolve (contributions: Float64Array): void, reject (error: LatidoError): void }
type Job = ScoreJob | ExplainJob

/**
 * Calls wait here while the worker computes; when it replies, all waiting calls for one model go to it as one batch. So batches grow under load
 * and a lone call waits for nobody. One request is under way at a time; replies come in the order of the calls.
 */
export class ScoringQueue implements AsyncDisposable {
  readonly #options: QueueOptions
  readonly #link: WorkerLink
  readonly #started: Promise<void>
  #waiting: Job[] = []
  #rowsWaiting = 0
  #underWay: readonly Job[] = []
  #isReady = false
  #requestId = 0
  #ended: LatidoError | undefined
  #idle: (() => void) | undefined

  constructor (spawn: () => WorkerLike, options: QueueOptions) {
    this.#options = options
    const { promise, resolve, reject } = deferred()
    this.#started = promise
    promise.catch(() => { /* whoever awaits started() is told */ })
    this.#link = new WorkerLink(spawn, options.restartsMax, {
      ready: () => { this.#isReady = true; resolve(); this.#pump() },
      reply: reply => { this.#took(reply) },
      lost: why => { this.#isReady = false; this.#failUnderWay(failed(`the scoring worker died: ${why}`)) },
      gaveUp: error => { reject(error); this.#refuseWaiting(error); this.#failUnderWay(error) },
    })
  }

  /** Resolves when the first worker has loaded its models; rejects with MODEL_INVALID or SCORER_FAILED. */
  started (): Promise<void> { return this.#started }

  score (model: string, rows: Float32Array<ArrayBuffer>, count: number): Promise<Float32Array> {
    return new Promise((resolve, reject) => { this.#add({ kind: 'score', model, rows, count, resolve, reject }) })
  }

  explain (model: string, row: Float64Array<ArrayBuffer>): Promise<Float64Array> {
    return new Promise((resolve, reject) => { this.#add({ kind: 'explain', model, row, count: 1, resolve, reject }) })
  }

  /** Refuses what waits, lets what is under way end, and ends the worker. */
  async [Symbol.asyncDispose] (): Promise<void> {
    this.#refuseWaiting(failed('the scorer is closed'))
    if (this.#underWay.length > 0) await new Promise<void>(resolve => { this.#idle = resolve })
    await this.#link.close()
  }

  #add (job: Job): void {
    if (this.#ended !== undefined) { job.reject(this.#ended); return }
    if (this.#rowsWaiting > 0 && this.#rowsWaiting + job.count > this.#options.queueRowsMax) { job.reject(failed(`${this.#rowsWaiting} rows wait to be scored, and ${this.#options.queueRowsMax} may`)); return }
    this.#waiting.push(job)
    this.#rowsWaiting += job.count
    this.#pump()
  }

  #pump (): void {
    if (!this.#isReady || this.#underWay.length > 0 || this.#waiting.length === 0) return
    const batch = this.#takeBatch()
    this.#underWay = batch
    const id = ++this.#requestId
    const [first] = batch
    assert(first !== undefined, 'a batch has a job')
    const request: Request = first.kind === 'explain'
      ? { kind: 'explain', id, model: first.model, row: first.row }
      : { kind: 'score', id, model: first.model, rows: joined(batch as readonly ScoreJob[]) }
    this.#link.send(request, [request.kind === 'explain' ? request.row.buffer : request.rows.buffer])
  }

  /** The oldest job, and those right behind it that can go with it. */
  #takeBatch (): readonly Job[] {
    const first = this.#waiting[0] as Job
    let end = 1
    let rows = first.count
    for (; first.kind === 'score' && end < this.#waiting.length; end++) {
      const next = this.#waiting[end] as Job
      if (next.kind !== 'score' || next.model !== first.model || rows + next.count > this.#options.batchRowsMax) break
      rows += next.count
    }
    this.#rowsWaiting -= rows
    return this.#waiting.splice(0, end)
  }

  #took (reply: Exclude<Reply, { kind: 'ready' | 'refused' }>): void {
    if (reply.id !== this.#requestId) return
    if (reply.kind === 'failed') { this.#failUnderWay(failed(reply.why)); return }
    const jobs = this.#done()
    let from = 0
    for (const job of jobs) {
      if (job.kind === 'explain' && reply.kind === 'explained') job.resolve(reply.contributions)
      else if (job.kind === 'score' && reply.kind === 'scored') job.resolve(reply.scores.subarray(from, from += job.count))
    }
    this.#pump()
  }

  #failUnderWay (error: LatidoError): void {
    for (const job of this.#done()) job.reject(error)
    this.#pump()
  }

  #done (): readonly Job[] {
    const jobs = this.#underWay
    this.#underWay = []
    this.#idle?.()
    return jobs
  }

  #refuseWaiting (error: LatidoError): void {
    this.#ended ??= error
    const waiting = this.#waiting
    this.#waiting = []
    this.#rowsWaiting = 0
    for (const job of waiting) job.reject(this.#ended)
  }
}

function failed (what: string): LatidoError { return new LatidoError('SCORER_FAILED', what, 'vectors are stored and scored again when processing resumes; if it happens again, look at the machine\'s memory and the model\'s files') }

/** One buffer to transfer; a lone call's own buffer goes as it is. */
function joined (jobs: readonly ScoreJob[]): Float32Array<ArrayBuffer> {
  const [first] = jobs
  if (jobs.length === 1 && first !== undefined) return first.rows
  const rows = new Float32Array(jobs.reduce((sum, job) => sum + job.rows.length, 0))
  let at = 0
  for (const job of jobs) { rows.set(job.rows, at); at += job.rows.length }
  return rows
}

function deferred (): { promise: Promise<void>, resolve: () => void, reject: (error: LatidoError) => void } {
  let resolve!: () => void
  let reject!: (error: LatidoError) => void
  const promise = new Promise<void>((yes, no) => { resolve = yes; reject = no })
  return { promise, resolve, reject }
}
