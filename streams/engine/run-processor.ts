import { randomUUID } from 'node:crypto'
import { assert, isLatidoError } from '../errors/index.ts'
import { partitionFor } from '../codec/index.ts'
import type { Consumer, Producer, TopicPartition, TransactionalProducer } from '../log/index.ts'
import { atLeastOnce, type OutputProducer } from './at-least-once.ts'
import { PoisonError } from './keyed-machine.ts'
import { keyedProcessor } from './keyed-program.ts'
import { ENGINE_DEFAULTS, type EngineOptions } from './options.ts'
import { PartitionTask, type TaskBatch } from './partition-task.ts'
import type { Processor, ProcessorHost } from './processor.ts'
import type { Outputs, ProcessorDefinition } from './program.ts'
import type { SnapshotRound } from './snapshots/index.ts'
import { Standbys } from './standby.ts'

/** More poisonous records than this within one restore are a fault of the code, not of the data. */
const RESTORE_ATTEMPTS_MAX = 100
/** After these the processor starts anew from what is committed; after the last one when the brokers answer again. */
const REJOIN: ReadonlySet<string> = new Set(['MEMBER_FENCED', 'PRODUCER_FENCED', 'TRANSACTION_ABORTED', 'BROKER_UNREACHABLE'])
const REJOIN_PAUSE_MS = 1_000

/** `replayed`: records stepped in silence to bring assigned partitions up to date. `standby`: partitions that a warm copy is kept of. `late` and `clamped`: as a batch says. */
export interface ProcessorStatistics { records: number, outputs: number, refused: number, keys: number, commits: number, replayed?: number, standby?: number, late?: number, clamped?: number }

interface TakenRound { readonly task: PartitionTask, readonly round: SnapshotRound }
interface CarriedRound { readonly task: PartitionTask, readonly round: SnapshotRound | undefined }

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
  readonly statistics: Required<ProcessorStatistics> = { records: 0, outputs: 0, refused: 0, keys: 0, commits: 0, replayed: 0, standby: 0, late: 0, clamped: 0 }
  readonly #definition: ProcessorDefinition
  readonly #host: ProcessorHost
  readonly #options: EngineOptions
  readonly #ticks: Producer
  readonly #tasks = new Map<number, PartitionTask>()
  #consumer!: Consumer
  #transaction!: OutputProducer
  /** Writes rounds where the outputs have no transaction that would fence them. */
  #carrier: TransactionalProducer | undefined
  #standbys: Standbys | undefined
  /** Taken, and to be carried by the next commit. */
  #rounds: TakenRound[] = []
  /** No state has stepped beyond what is committed: only then may rows be taken. */
  #whole = true
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
    const { guarantee, standbyPartitionsMax } = this.#options
    if (standbyPartitionsMax > 0) this.#standbys = new Standbys(this.#definition, this.#host, this.#options, instance)
    if (guarantee === 'at-least-once' && this.#host.snapshots.carry !== undefined) this.#carrier = await this.#host.log.transactionalProducer(`${this.#definition.name}.${instance}`)
    this.#transaction = guarantee === 'exactly-once'
      ? await this.#host.log.transactionalProducer(`${this.#definition.name}.${instance}`)
      : atLeastOnce(this.#host.log.producer(), () => this.#consumer)
    this.#consumer = this.#host.log.consumer({
      group: this.#definition.name,
      instance,
      topics: [this.#definition.input],
      from: 'earliest',
      onAssigned: async partitions => { for (const p of partitions) await this.#open(p) },
      onRevoked: partitions => this.#release(partitions),
    })
  }

  /** The commit order, which everything rests on: poll, prepare, step, effects, commit, snapshot. */
  async step (maxWaitMs: number = 0): Promise<number> {
    const runs = await this.#consumer.poll(maxWaitMs) // 1 poll a batch
    const batches = runs.map(run => this.#task(run.partition).open(run))
    await this.#definition.prepare?.(batches.map(b => b.program)) // 2 prepare it
    this.#whole = batches.length === 0
    const done: TaskBatch[] = []
    for (const batch of batches) if (await this.#stepBatch(batch)) done.push(batch) // 3 step each record
    for (const { program } of done) await program.effects?.() // 4 idempotent effects
    if (done.length > 0 || this.#rounds.length > 0) await this.#commit(done) // 5 outputs and offsets in one transaction
    this.#whole = true
    await this.#snapshot() // 6 some of the rows that changed
    await this.#tickSilent(new Set(runs.map(r => r.partition)))
    await this.#followOthers()
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
    await this.#snapshotAll().catch(() => {}) // the next start replays what could not be stored
    await this.#consumer[Symbol.asyncDispose]()
    await this.#transaction[Symbol.asyncDispose]()
    await this.#carrier?.[Symbol.asyncDispose]()
  }

  /** Whatever was not committed is forgotten: the states are restored when partitions are assigned again. */
  async #rejoin (): Promise<void> {
    for (const task of this.#tasks.values()) this.#host.snapshots.release?.(task.of)
    this.#tasks.clear()
    this.#rounds = []
    this.#whole = true
    await Promise.allSettled([this.#consumer[Symbol.asyncDispose](), this.#transaction[Symbol.asyncDispose](), this.#carrier?.[Symbol.asyncDispose]()]) // they have already lost what they could give back
    while (!this.#stopping) {
      try { await this.join(); return } catch (e) {
        if (!isLatidoError(e) || !REJOIN.has(e.code)) throw e
        await this.#host.clock.sleep(REJOIN_PAUSE_MS)
      }
    }
  }

  async #open (of: TopicPartition): Promise<void> {
    const committed = await this.#consumer.committed(of)
    for (let attempt = 1; ; attempt++) {
      try {
        const task = await this.#restored(of.partition, committed)
        this.#tasks.set(of.partition, task)
        this.#consumer.seek(of, task.position)
        return
      } catch (e) {
        if (!(e instanceof PoisonError) || attempt >= RESTORE_ATTEMPTS_MAX) throw e
        await this.#poison(of.partition, e)
      }
    }
  }

  /** From a warm copy, or from the snapshots. */
  async #restored (partition: number, committed: number | undefined): Promise<PartitionTask> {
    const warm = await this.#standbys?.take(partition, committed)
    if (warm !== undefined && committed !== undefined) await warm.takeOver(committed)
    const task = warm ?? await PartitionTask.open(this.#definition, this.#host, partition, committed)
    this.statistics.replayed += task.replayed
    return task
  }

  /** While the partitions are still this member's: their newest rows make the heir's start short. */
  async #release (partitions: readonly TopicPartition[]): Promise<void> {
    const tasks = partitions.flatMap(p => this.#tasks.get(p.partition) ?? [])
    try {
      if (this.#whole) await this.#store(tasks)
    } catch (e) {
      if (!isLatidoError(e) || !REJOIN.has(e.code)) throw e // fenced: the heir has them already
    } finally {
      for (const { partition } of partitions) this.#tasks.delete(partition)
      for (const task of tasks) this.#host.snapshots.release?.(task.of)
    }
  }

  #task (partition: number): PartitionTask {
    const task = this.#tasks.get(partition)
    assert(task !== undefined, `${this.name} got records of a partition that is not its own`)
    return task
  }

  /** Where this partition's outputs go: the same number of partition, modulo the topic's; or that of a key. */
  #outputs (partition: number): Outputs {
    return (topic, key) => {
      const partitions = this.#host.log.partitionsOf(topic)
      return this.#transaction.sink({ topic, partition: key === undefined ? partition % partitions : partitionFor(key, partitions) })
    }
  }

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
    const { name: machine, version } = this.#definition.snapshots
    await this.#host.snapshots.addPoison({ processor: this.name, machine, version, partition }, e.poison)
  }

  async #commit (done: readonly TaskBatch[]): Promise<void> {
    for (const batch of done) this.#task(batch.partition).write(batch, this.#outputs(batch.partition), this.#options.tickLatencyMs)
    const rounds = this.#carry(done)
    const offsets = new Map([...rounds.map(({ task }) => [task.partition, task.position] as const), ...done.map(({ partition, nextOffset }) => [partition, nextOffset] as const)])
    await this.#transaction.commit(this.#consumer.metadata, [...offsets].map(([partition, offset]) => ({ topic: this.#definition.input, partition, offset })))
    for (const { task, round } of rounds) await this.#host.snapshots.carried?.(task.of, round)
    for (const { partition, nextOffset, program } of done) {
      this.#task(partition).committed(nextOffset)
      this.statistics.records += program.count
      this.statistics.outputs += program.outputs
      this.statistics.refused += program.refused.length
      this.statistics.late += program.late ?? 0
      this.statistics.clamped += program.clamped ?? 0
    }
    this.statistics.commits++
    this.statistics.keys = [...this.#tasks.values()].reduce((n, t) => n + t.keys, 0)
  }

  /** Writes the rounds that wait into the transaction that is about to be committed, and the poison that it passes over. */
  #carry (done: readonly TaskBatch[]): readonly CarriedRound[] {
    const { snapshots } = this.#host
    if (snapshots.carry === undefined || this.#carrier !== undefined) return []
    const taken = this.#rounds.filter(({ task }) => this.#tasks.get(task.partition) === task)
    this.#rounds = []
    const poisonOnly = done.filter(({ partition }) => !taken.some(r => r.task.partition === partition)).map(({ partition }): CarriedRound => ({ task: this.#task(partition), round: undefined }))
    const all = [...taken, ...poisonOnly]
    for (const { task, round } of all) snapshots.carry(task.of, round, this.#transaction)
    return all
  }

  /** One partition a turn: the rows of all at once would hold the loop for too long. */
  async #snapshot (): Promise<void> {
    const now = this.#host.clock.monotonicMs()
    const tasks = [...this.#tasks.values()]
    if (tasks.length === 0 || now - this.#lastSnapshotMs < this.#options.snapshotIntervalMs / tasks.length) return
    this.#lastSnapshotMs = now
    await this.#transaction.settle?.()
    await this.#takeRound(tasks[this.#snapshots++ % tasks.length]!)
  }

  /** A round as of what is committed: kept at once, or by the next commit. */
  async #takeRound (task: PartitionTask): Promise<void> {
    const { snapshots } = this.#host
    const round = task.round(this.#options.snapshotRowsMax, this.#options.snapshotBytesMax, this.#options.markerIntervalMs)
    if (round === undefined) return
    if (snapshots.carry !== undefined && this.#carrier === undefined) { this.#rounds.push({ task, round }); return }
    if (this.#carrier !== undefined) {
      snapshots.carry?.(task.of, round, this.#carrier)
      await this.#carrier.commit(this.#consumer.metadata, [{ topic: this.#definition.input, partition: task.partition, offset: task.position }])
      await snapshots.carried?.(task.of, round)
      return
    }
    await snapshots.save(task.of, round)
  }

  /** A round of each of these, kept when it answers. */
  async #store (tasks: readonly PartitionTask[]): Promise<void> {
    await this.#transaction.settle?.()
    for (const task of tasks) {
      await this.#takeRound(task)
      if (this.#rounds.length > 0) await this.#commit([])
    }
  }

  /** All that is dirty, in rounds of the usual size. What a failed round of the loop has left is forgotten first. */
  async #snapshotAll (): Promise<void> {
    if (!this.#whole) return
    await this.#transaction.abort()
    for (const task of this.#tasks.values()) do await this.#store([task]); while (task.dirtyKeys > 0)
  }

  /** Warm copies go on, in slices, after this instance's own work. */
  async #followOthers (): Promise<void> {
    if (this.#standbys === undefined) return
    await this.#standbys.advance(new Set(this.#tasks.keys()))
    this.statistics.standby = this.#standbys.partitions.length
  }

  /** A silent partition gets a tick from its owner, so that silence is data. */
  async #tickSilent (busy: ReadonlySet<number>): Promise<void> {
    if (!this.#definition.ownsTicks) return
    const { tickIntervalMs, tickLatencyMs } = this.#options
    const silent = [...this.#tasks.values()].filter(task => !busy.has(task.partition) && task.wantsTick(tickIntervalMs, tickLatencyMs))
    await Promise.all(silent.map(task => this.#ticks.append({ topic: this.#definition.input, partition: task.partition }, [{ key: null, value: this.#definition.tick, timestamp: task.now() }])))
  }

  #waitMs (): number {
    if (this.#standbys?.behind === true) return 1
    if (!this.#definition.ownsTicks) return this.#options.pollWaitMs
    const waits = [...this.#tasks.values()].map(t => t.tickInMs(this.#options.tickIntervalMs, this.#options.tickLatencyMs))
    return Math.max(1, Math.min(this.#options.pollWaitMs, ...waits))
  }
}
