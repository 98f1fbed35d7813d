import { snapshotTopicName } from '../../streams/engine/index.ts'
import type { TopicPartition } from '../../streams/log/index.ts'
import { SeededRandom } from '../kit/random.ts'
import { startJavaClient, startKafka, until, type JavaClient, type KafkaServer } from '../kit/servers/index.ts'
import { tempDir } from '../kit/temp-dir.ts'
import type { Bug } from './bugs.ts'
import { difference, namesOf, Oracle, PARTITIONS, said, topicsOf, type Names, type Snapshots } from './counter.ts'
import { strike } from './faults.ts'
import { Feeder } from './feeder.ts'
import { Instances } from './instances.ts'
import { openLog, type Driver } from './open-log.ts'

export interface ChaosOptions {
  readonly driver: Driver
  readonly seed: number
  readonly rounds: number
  readonly brokers: 1 | 3
  readonly bug?: Bug
  /** Default: in a topic for even seeds, on disk for odd ones. */
  readonly snapshots?: Snapshots
  /** These faults by turns, instead of one drawn. */
  readonly faults?: readonly string[]
  readonly perSecond?: number
  readonly say?: (line: string) => void
}

export interface ChaosResult { readonly rounds: number, readonly records: number, readonly gaveUp: number, readonly failures: readonly string[] }

const CAUGHT_UP_WITHIN_MS = 90_000
const VISIBLE_WITHIN_MS = 30_000
const INSTANCES = 4

/** Rounds of faults on one cluster, under load. After each, what came out is compared with what went in. Ends at the first difference. */
export async function chaos (options: ChaosOptions): Promise<ChaosResult> {
  const { driver, seed, rounds, brokers, bug = 'none', snapshots = seed % 2 === 0 ? 'topic' : 'disk', faults = [], perSecond = 1_500, say = () => {} } = options
  const directory = tempDir()
  const names = namesOf(`chaos${seed}`)
  const result = { rounds: 0, records: 0, gaveUp: 0, failures: [] as string[] }
  try {
    await using kafka = await startKafka({ brokers, lanes: INSTANCES })
    await using java = await startJavaClient(kafka.bootstrap)
    await createTopics(driver, kafka, names)
    await java.configureTopic(snapshotTopicName(names.group), { 'segment.ms': '1000', 'min.cleanable.dirty.ratio': '0.01', 'max.compaction.lag.ms': '500' })
    await using feeder = await Feeder.open(kafka.bootstrap, names.input, new SeededRandom(seed), perSecond)
    await using instances = new Instances(kafka, directory.path, INSTANCES, { driver, run: `chaos${seed}`, replication: brokers, bug, snapshots })
    const check = new Check(java, names)
    for (let round = 1; round <= rounds; round++) {
      const before = performance.now()
      feeder.start()
      const what = await strike({ kafka, java, instances, random: new SeededRandom(seed * 1_000_003 + round), input: names.input, output: names.output }, faults[(round - 1) % faults.length])
      await feeder.stop()
      const recovery = performance.now()
      const wrong = await check.round()
      result.rounds++
      result.records = check.records
      result.gaveUp = instances.gaveUp
      say(`seed ${seed} (${brokers} brokers, snapshots in ${snapshots}) round ${round}, ${what}; ${instances.running.length} instances, ${check.records} records, caught up in ${Math.round(performance.now() - recovery)} ms, ${Math.round(performance.now() - before)} ms in all${wrong === undefined ? '' : ' FAILED'}`)
      if (wrong === undefined) continue
      result.failures.push(`seed ${seed} round ${round} (${driver}, ${brokers} brokers, snapshots in ${snapshots}) ${what}: ${wrong}`)
      say(instances.output())
      break
    }
    await instances[Symbol.asyncDispose]()
    const left = result.failures.length === 0 ? await check.end() : undefined
    if (left !== undefined) result.failures.push(`seed ${seed} (${driver}, ${brokers} brokers) after round ${rounds}: ${left}`)
    if (instances.gaveUp > 0) say(instances.output().split('\n').filter(line => /gave up|unhandled|---/.test(line)).join('\n'))
    return result
  } finally {
    directory.remove()
  }
}

async function createTopics (driver: Driver, kafka: KafkaServer, names: Names): Promise<void> {
  await using log = await openLog(driver, kafka.bootstrap, kafka.nodes.length)
  await log.ensureTopics(topicsOf(names))
}

/** Reads on where it stopped, by Kafka's own client, and compares. */
class Check {
  records = 0
  readonly #java: JavaClient
  readonly #names: Names
  readonly #partitions = Array.from({ length: PARTITIONS }, () => ({ oracle: new Oracle(), input: 0, output: 0 }))

  constructor (java: JavaClient, names: Names) {
    this.#java = java
    this.#names = names
  }

  /** What is wrong, in words; undefined if nothing is. */
  async round (): Promise<string | undefined> {
    const { input, output } = this.#names
    const late = await this.#caughtUp()
    if (late !== undefined) return late
    for (const [partition, state] of this.#partitions.entries()) {
      const asked = await this.#java.read({ topic: input, partition }, { from: state.input })
      state.input = (asked.at(-1)?.offset ?? state.input - 1) + 1
      this.records += asked.length
      const wrong = difference(state.oracle.expect(asked), await this.#answers({ topic: output, partition }, state, asked.length))
      if (wrong !== undefined) return `partition ${partition} ${wrong}`
    }
    return undefined
  }

  /** When nobody writes any more and every transaction has ended: there is nothing besides what was compared. */
  async end (): Promise<string | undefined> {
    for (const [partition, state] of this.#partitions.entries()) {
      const of = { topic: this.#names.output, partition }
      await until('the end of open transactions', VISIBLE_WITHIN_MS, async () => (await this.#java.range(of)).end === (await this.#java.range(of, 'read_uncommitted')).end)
      const wrong = difference([], await this.#answers(of, state, 0))
      if (wrong !== undefined) return `partition ${partition}, in the end, ${wrong}`
    }
    return undefined
  }

  /** A transaction's offsets may be visible a moment before its records are: each partition gets its marker in its own time. */
  async #answers (of: TopicPartition, state: { output: number }, count: number): Promise<readonly string[]> {
    const lines: string[] = []
    const read = async (): Promise<boolean> => {
      const answered = await this.#java.read(of, { from: state.output })
      state.output = (answered.at(-1)?.offset ?? state.output - 1) + 1
      lines.push(...said(answered))
      return lines.length >= count
    }
    await until('the answers', VISIBLE_WITHIN_MS, read).catch(() => {}) // the comparison says what is missing
    return lines
  }

  /** Until the group has committed all that there is. */
  async #caughtUp (): Promise<string | undefined> {
    const { input, group } = this.#names
    let story = ''
    try {
      const ends = await Promise.all(this.#partitions.map((_, partition) => this.#java.range({ topic: input, partition })))
      await until('the group', CAUGHT_UP_WITHIN_MS, async () => {
        const committed = await this.#java.committed(group)
        story = ends.map(({ end }, partition) => `${committed[`${input}/${partition}`] ?? 'none'} of ${end}`).join(', ')
        return ends.every(({ end }, partition) => (committed[`${input}/${partition}`] ?? 0) === end)
      })
      return undefined
    } catch (e) {
      return `it did not catch up (${String(e)}): committed ${story}`
    }
  }
}
