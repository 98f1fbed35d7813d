import { availableParallelism } from 'node:os'
import type { ProcessorStatistics } from '../engine/index.ts'
import { LatidoError } from '../errors/index.ts'
import type { Clock, DurationMs } from '../time/index.ts'
import type { FromWorker, WorkerTask, WorkerThread } from './protocol.ts'
import { spawnThread } from './spawn.ts'

export interface WorkerPoolOptions {
  /** Threads at the start, and at most. A thread is a member of the group: Kafka spreads the partitions over them. */
  readonly threadsMin: number
  readonly threadsMax: number
  /** One more thread comes when all have been busier than this share of the time for so long. */
  readonly fullAbove: number
  readonly fullForMs: DurationMs
  readonly sampleMs: DurationMs
  /** A thread that fails is replaced after this pause, at most so often within an hour; then the pool fails. */
  readonly restartAfterMs: DurationMs
  readonly restartsMax: number
  /** How long a thread may take to stop in good order. */
  readonly stopTimeoutMs: DurationMs
}

export const WORKER_POOL_DEFAULTS: WorkerPoolOptions = { threadsMin: 1, threadsMax: availableParallelism(), fullAbove: 0.85, fullForMs: 5_000, sampleMs: 1_000, restartAfterMs: 1_000, restartsMax: 10, stopTimeoutMs: 10_000 }

const HOUR_MS = 3_600_000

export interface WorkerPool extends AsyncDisposable {
  readonly threads: number
  /** Of all threads together, those that have gone included. */
  readonly statistics: ProcessorStatistics
  /** Rejects when threads fail faster than they may be replaced. */
  readonly failed: Promise<never>
}

export interface WorkerPoolHost {
  readonly clock: Clock
  /** For people: what changed and why. */
  readonly onChange?: (what: string) => void
  /** For tests: another kind of thread. */
  readonly spawn?: (task: WorkerTask, name: string) => WorkerThread
}

/** Runs a processor in threads: `module` exports `open` (see `WorkerModule`), `options` go to each of them. One thread, until it is full. */
export function openWorkerPool (module: URL, options: unknown, host: WorkerPoolHost, pool: Partial<WorkerPoolOptions> = {}): WorkerPool {
  return new Pool({ module: module.href, options }, host, { ...WORKER_POOL_DEFAULTS, ...pool })
}

interface Member { readonly name: string, readonly thread: WorkerThread, readonly gone: Promise<void>, statistics: ProcessorStatistics }

class Pool implements WorkerPool {
  readonly failed: Promise<never>
  readonly #task: WorkerTask
  readonly #host: WorkerPoolHost
  readonly #options: WorkerPoolOptions
  readonly #members = new Set<Member>()
  readonly #stopSampling: () => void
  readonly #stopping = new AbortController()
  #past: ProcessorStatistics = none()
  #restarts: number[] = []
  #spawned = 0
  #fullSinceMs: number | undefined
  #fail!: (reason: LatidoError) => void

  constructor (task: WorkerTask, host: WorkerPoolHost, options: WorkerPoolOptions) {
    this.#task = task
    this.#host = host
    this.#options = options
    this.failed = new Promise((_, reject) => { this.#fail = reject })
    this.failed.catch(() => {}) // whoever awaits it hears of it
    for (let i = 0; i < options.threadsMin; i++) this.#add()
    this.#stopSampling = host.clock.every(options.sampleMs, () => { this.#sample() })
  }

  get threads (): number { return this.#members.size }
  get statistics (): ProcessorStatistics { return [...this.#members].reduce((sum, { statistics }) => plus(sum, statistics), this.#past) }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#stopping.abort()
    this.#stopSampling()
    await Promise.all([...this.#members].map(async member => {
      member.thread.stop()
      const patience = new AbortController()
      await Promise.race([member.gone, this.#host.clock.sleep(this.#options.stopTimeoutMs, patience.signal).then(() => patience.signal.aborted ? undefined : member.thread.terminate())])
      patience.abort()
    }))
  }

  #add (): void {
    const name = `worker-${++this.#spawned}`
    const thread = (this.#host.spawn ?? spawnThread)(this.#task, name)
    let reason = 'it ended by itself'
    const member: Member = { name, thread, statistics: none(), gone: new Promise(resolve => { thread.onExit(() => { resolve(); this.#left(member, reason) }) }) }
    this.#members.add(member)
    thread.onMessage((message: FromWorker) => {
      switch (message.kind) {
        case 'statistics': member.statistics = message.statistics; return
        case 'failed': reason = message.reason; return
        case 'running': this.#host.onChange?.(`${name} runs; ${this.#members.size} in all`)
      }
    })
  }

  #left (member: Member, reason: string): void {
    if (!this.#members.delete(member)) return
    this.#past = plus(this.#past, { ...member.statistics, keys: 0 })
    if (this.#stopping.signal.aborted) return
    const now = this.#host.clock.monotonicMs()
    this.#restarts = [...this.#restarts.filter(at => now - at < HOUR_MS), now]
    this.#host.onChange?.(`${member.name} failed: ${reason}`)
    if (this.#restarts.length > this.#options.restartsMax) {
      this.#fail(new LatidoError('WORKER_FAILED', `worker threads failed ${this.#restarts.length} times within an hour, the last one because ${reason}`, 'mend what the message names, then start again; nothing committed was lost'))
      return
    }
    void this.#host.clock.sleep(this.#options.restartAfterMs, this.#stopping.signal).then(() => { if (!this.#stopping.signal.aborted) this.#add() })
  }

  /** All must be full: a new member would otherwise move partitions for nothing. */
  #sample (): void {
    const now = this.#host.clock.monotonicMs()
    const loads = [...this.#members].map(({ thread }) => thread.utilisation())
    if (loads.length === 0 || loads.some(load => load < this.#options.fullAbove)) { this.#fullSinceMs = undefined; return }
    this.#fullSinceMs ??= now
    if (now - this.#fullSinceMs < this.#options.fullForMs || this.#members.size >= this.#options.threadsMax) return
    this.#fullSinceMs = undefined
    this.#host.onChange?.(`all ${this.#members.size} threads are full: one more`)
    this.#add()
  }
}

function none (): ProcessorStatistics { return { records: 0, outputs: 0, refused: 0, keys: 0, commits: 0 } }

function plus (a: ProcessorStatistics, b: ProcessorStatistics): ProcessorStatistics {
  return { records: a.records + b.records, outputs: a.outputs + b.outputs, refused: a.refused + b.refused, keys: a.keys + b.keys, commits: a.commits + b.commits }
}
