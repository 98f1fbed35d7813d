import { randomUUID } from 'node:crypto'
import { assert, isLatidoError } from '../errors/index.ts'
import type { Consumer, Producer, TopicPartition } from '../log/index.ts'
import { atLeastOnce, exactlyOnce, type OutputProducer } from './at-least-once.ts'
import { PoisonError } from './keyed-machine.ts'
import { keyedProcessor } from './keyed-program.ts'
import { ENGINE_DEFAULTS, type EngineOptions } from './options.ts'
import { PartitionTask, type TaskBatch } from './partition-task.ts'
import type { Processor, ProcessorHost } from './processor.ts'
import type { Outputs, ProcessorDefinition } from './program.ts'

/** More poisonous records than this within one restore are a fault of the code, not of the data. */
const RESTORE_ATTEMPTS_MAX = 100
/** After these the processor starts anew from what is committed. */
const REJOIN: ReadonlySet<string> = new Set(['MEMBER_FENCED', 'PRODUCER_FENCED', 'TRANSACTION_ABORTED'])

export interface ProcessorStatistics { records: number, outputs: number, refused: number, keys: number, commits: number }

/** A processor in motion. `step` goes round the loop once; `run` until `stop`. */
export interface RunningProcessor extends AsyncDisposable {
  readonly name: string
  readonly input: string
  readonly statistics: Readonly<ProcessorStatistics>
  /** One round; answers the records processed. */
  step (maxWaitMs?: number): Promise<number>
  /** Goes round until `stop`; throws what cannot be mended here. */
  run (): Promise<void>
  stop (): Promise<void>
}

/** Joins the group and prepares the transaction; the partitions' states are restored when they are assigned. */
export async function startProcessor<State, In, Out> (processor: Processor<State, In, Out> | ProcessorDefinition, host: ProcessorHost): Promise<RunningProcessor> {
  const loop = new ProcessorLoop('machine' in processor ? keyedProcessor(processor) : processor, host)
  await loop.join()
  return loop
}

class ProcessorLoop implements RunningProcessor {
  readonly name: string
  readonly input: string
  readonly statistics: ProcessorStatistics = { records: 0, outputs: 0, refused: 0, keys: 0, commits: 0 }
  readonly #definition: ProcessorDefinition
  readonly #host: ProcessorHost
  readonly #options: EngineOptions
  readonly #ticks: Producer
  readonly #tasks = new Map<number, PartitionTask>()
  #consumer!: Consumer
  #transaction!: OutputProducer
  #lastSnapshotMs = 0
  #snapshots = 0
  #stopping = false
  #running: Promise<void> = Promise.resolve()

  constructor (definition: ProcessorDefinition, host: ProcessorHost) {
    this.name = definition.name
    this.input = definition.input
    this.#definition = definition
    this.#host = host
    this.#options = { ...ENGINE_DEFAULTS, ...host.options }
    this.#ticks = host.log.producer()
  }

  /** Under a name of its own each time: what an earlier life left open is not mistaken for this one's. */
  async join (): Promise<void> {
    const instance = randomUUID()
    this.#transaction = this.#options.guarantee === 'exactly-once'
      ? exactlyOnce(await this.#host.log.transactionalProducer(`${this.#definition.name}.${instance}`))
      : atLeastOnce(this.#host.log.producer(), () => this.#consumer)
    this.#consumer = this.#host.log.consumer({
      group: this.#definition.name,
      instance,
      topics: [this.#definition.input],
      from: 'earliest',
      onAssigned: async partitions => { for (const p of partitions) await this.#open(p) },
      onRevoked: partitions => { for (const p of partitions) this.#tasks.delete(p.partition); return Promise.resolve() },
    })
  }

  /** The commit order, which everything rests on: poll, prepare, step, effects, commit, snapshot. */
  async step (maxWaitMs: number = 0): Promise<number> {
    const runs = await this.#consumer.poll(maxWaitMs) // 1 poll a batch
    const batches = runs.map(run => this.#task(run.partition).open(run))
    await this.#definition.prepare?.(batches.map(b => b.program)) // 2 prepare it
    const done: TaskBatch[] = []
    for (const batch of batches) if (await this.#stepBatch(batch)) done.push(batch) // 3 step each record
    for (const { program } of done) await program.effects?.() // 4 idempotent effects
    if (done.length > 0) await this.#commit(done) // 5 outputs and offsets in one transaction
    await this.#snapshot() // 6 some of the rows that changed
    await this.#tickSilent(new Set(runs.map(r => r.partition)))
    return batches.reduce((n, b) => n + b.program.count, 0)
  }

  run (): Promise<void> {
    this.#running = (async () => {
      while (!this.#stopping) {
        try {
          await this.step(this.#waitMs())
        } catch (e) {
          if (!isLatidoError(e) || !REJOIN.has(e.code)) throw e
          this.#host.onChange?.(`${this.name}: left the group (${e.code}), joining again`)
          await this.#rejoin()
        }
      }
    })()
    return this.#running
  }

  async stop (): Promise<void> {
    this.#stopping = true
    await this.#running.catch(() => {})
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.stop()
    await this.#snapshotAll().catch(() => {})
    await this.#consumer[Symbol.asyncDispose]()
    await this.#transaction[Symbol.asyncDispose]()
  }

  /** Whatever was not committed is forgotten: the states are restored when partitions are assigned again. */
  async #rejoin (): Promise<void> {
    this.#tasks.clear()
    await Promise.allSettled([this.#consumer[Symbol.asyncDispose](), this.#transaction[Symbol.asyncDispose]()]) // they have already lost what they could give back
    await this.join()
  }

  async #open (of: TopicPartition): Promise<void> {
    const committed = await this.#consumer.committed(of)
    for (let attempt = 1; ; attempt++) {
      try {
        const task = await PartitionTask.open(this.#definition, this.#host, of.partition, committed)
        this.#tasks.set(of.partition, task)
        this.#consumer.seek(of, task.position)
        return
      } catch (e) {
        if (!(e instanceof PoisonError) || attempt >= RESTORE_ATTEMPTS_MAX) throw e
        await this.#poison(of.partition, e)
      }
    }
  }

  #task (partition: number): PartitionTask {
    const task = this.#tasks.get(partition)
    assert(task !== undefined, `${this.name} got records of a partition that is not its own`)
    return task
  }

  /** Where this partition's outputs go: the same number of partition, modulo the topic's. */
  #outputs (partition: number): Outputs { return topic => this.#transaction.sink({ topic, partition: partition % this.#host.log.partitionsOf(topic) }) }

  /** false: a record was poisonous; the partition has been put back to its committed offset and comes again without it. */
  async #stepBatch (batch: TaskBatch): Promise<boolean> {
    try {
      await this.#task(batch.partition).step(batch, this.#outputs(batch.partition))
      return true
    } catch (e) {
      if (!(e instanceof PoisonError)) throw e
      await this.#poison(batch.partition, e)
      await this.#open({ topic: this.#definition.input, partition: batch.partition })
      return false
    }
  }

  async #poison (partition: number, e: PoisonError): Promise<void> {
    this.#host.onChange?.(`${this.name}: a step failed at partition ${partition} offset ${e.offset}; the state is restored without it`)
    await this.#host.snapshots.addPoison(this.#definition.snapshots.name, partition, e.poison)
  }

  async #commit (done: readonly TaskBatch[]): Promise<void> {
    for (const batch of done) this.#task(batch.partition).write(batch, this.#outputs(batch.partition), this.#options.tickLatencyMs)
    await this.#transaction.commit(this.#consumer.metadata, done.map(({ partition, nextOffset }) => ({ topic: this.#definition.input, partition, offset: nextOffset })))
    for (const { partition, nextOffset, program } of done) {
      this.#task(partition).committed(nextOffset)
      this.statistics.records += program.count
      this.statistics.outputs += program.outputs
      this.statistics.refused += program.refused.length
    }
    this.statistics.commits++
    this.statistics.keys = [...this.#tasks.values()].reduce((n, t) => n + t.keys, 0)
  }

  /** One partition a turn: the rows of all at once would hold the loop for too long. */
  async #snapshot (): Promise<void> {
    const now = this.#host.clock.monotonicMs()
    const tasks = [...this.#tasks.values()]
    if (tasks.length === 0 || now - this.#lastSnapshotMs < this.#options.snapshotIntervalMs / tasks.length) return
    this.#lastSnapshotMs = now
    await this.#transaction.settle()
    await tasks[this.#snapshots++ % tasks.length]!.snapshot(this.#options.snapshotRowsMax)
  }

  async #snapshotAll (): Promise<void> { await this.#transaction.settle(); for (const task of this.#tasks.values()) await task.snapshot(Number.MAX_SAFE_INTEGER) }

  /** A silent partition gets a tick from its owner, so that silence is data. */
  async #tickSilent (busy: ReadonlySet<number>): Promise<void> {
    if (!this.#definition.ownsTicks) return
    const now = this.#host.clock.now()
    for (const task of this.#tasks.values()) {
      if (busy.has(task.partition) || !task.wantsTick(now, this.#options.tickIntervalMs, this.#options.tickLatencyMs)) continue
      await this.#ticks.append({ topic: this.#definition.input, partition: task.partition }, [{ key: null, value: this.#definition.tick, timestamp: now }])
    }
  }

  #waitMs (): number {
    if (!this.#definition.ownsTicks) return this.#options.pollWaitMs
    const now = this.#host.clock.now()
    const waits = [...this.#tasks.values()].map(t => t.tickInMs(now, this.#options.tickIntervalMs, this.#options.tickLatencyMs))
    return Math.max(1, Math.min(this.#options.pollWaitMs, ...waits))
  }
}
