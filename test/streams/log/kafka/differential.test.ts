import { createRequire } from 'node:module'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Log } from '../../../../streams/log/index.ts'
import { parting, readByConsumer, readByReader, steady } from '../../../chaos/compare.ts'
import { allJavaWriters, idOf, logWriter, writeHistory, type Writer } from '../../../chaos/history.ts'
import { DRIVERS, openLog, type Driver } from '../../../chaos/open-log.ts'
import { SeededRandom } from '../../../kit/random.ts'
import { CODECS, describeWith, startJavaClient, startKafka, until, type JavaClient, type KafkaServer } from '../../../kit/servers/index.ts'

/** A longer search, with leaders that are killed: LATIDO_FUZZ_SEEDS=100, LATIDO_FUZZ_FIRST=1000, LATIDO_FUZZ_DRIVERS=direct. */
const SEEDS = Number(process.env['LATIDO_FUZZ_SEEDS'] ?? 1)
const FIRST_SEED = Number(process.env['LATIDO_FUZZ_FIRST'] ?? 1)
const CHOSEN: readonly Driver[] = DRIVERS.filter(driver => (process.env['LATIDO_FUZZ_DRIVERS'] ?? 'direct,native').split(',').includes(driver))
const STEPS = 60
const PARTITIONS = 2
const CONSUMED_WITHIN_MS = 60_000
/** A transaction may be open while leaders are killed and come back. */
const TRANSACTION_TIMEOUT_MS = 300_000
/** A writer stays a member of its group while a leader is away. */
const PATIENT = { 'group.consumer.session.timeout.ms': '40000', 'group.consumer.max.session.timeout.ms': '60000' }
/** Compacts at once. */
const EAGER = { 'segment.ms': '200', 'min.cleanable.dirty.ratio': '0.01', 'max.compaction.lag.ms': '100', 'delete.retention.ms': '50' }

/** The library behind `native` reads the codecs that it was compiled with, if it is there at all. */
function nativeFeatures (): readonly string[] {
  try { return (createRequire(import.meta.url)('node-rdkafka') as { readonly features: readonly string[] }).features } catch { return [] }
}

const features = nativeFeatures()
const codecsOf = (driver: Driver): readonly (typeof CODECS)[number][] => driver === 'direct' ? CODECS : CODECS.filter(codec => codec === 'none' || features.includes(codec))
/** It does not tell a header without a value from an empty one. */
const seenBy = (driver: Driver, lines: readonly string[]): readonly string[] => driver === 'direct' ? lines : lines.map(line => line.replaceAll(/=null(?=[,\]])/g, '=""'))

const describeKafka = await describeWith('kafka')
for (const driver of CHOSEN) {
  const describeDriver = driver === 'native' && features.length === 0 ? describeKafka.skip : describeKafka
  describeDriver(`histories by seed, as ${driver} and the Java client read them`, { timeout: SEEDS > 1 ? 600_000 : 300_000 }, () => {
    let kafka: KafkaServer, java: JavaClient, log: Log

    beforeAll(async () => {
      kafka = await startKafka({ brokers: SEEDS > 1 ? 3 : 1, config: PATIENT })
      java = await startJavaClient(kafka.bootstrap)
      log = await openLog(driver, kafka.bootstrap, kafka.nodes.length, codecsOf(driver).includes('zstd') ? 'zstd' : 'lz4', TRANSACTION_TIMEOUT_MS)
    })
    afterAll(async () => {
      await log?.[Symbol.asyncDispose]()
      await java?.[Symbol.asyncDispose]()
      await kafka?.[Symbol.asyncDispose]()
    })

    async function prepare (topic: string, cleanup: 'delete' | 'compact'): Promise<readonly Writer[]> {
      await log.ensureTopics([{ name: topic, partitions: PARTITIONS, timestamps: 'create', retentionMs: 0, cleanup }])
      if (cleanup === 'compact') await java.configureTopic(topic, EAGER)
      const writers = [...await allJavaWriters(java, topic, codecsOf(driver))]
      for (const id of [undefined, `${topic}-1`, `${topic}-2`, `${topic}-3`]) writers.push(await logWriter(log, driver, topic, id))
      return writers
    }

    /** Every way to read must give what the Java client gives. */
    async function compare (topic: string, when: string): Promise<void> {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const of = { topic, partition }
        const { expected, found } = await steady(java, of, async () => ({ lines: await readByReader(log, of), range: await log.range(of), java: await java.range(of) }))
        expect(parting(seenBy(driver, expected), found.lines), `${when}: the reader, partition ${partition}`).toBeUndefined()
        expect(found.range, `${when}: the range, partition ${partition}`).toEqual(found.java)
      }
      const [first, second] = [{ topic, partition: 0 }, { topic, partition: 1 }]
      const { expected, found } = await steady(java, first, () => steady(java, second, () => readByConsumer(log, topic, PARTITIONS, CONSUMED_WITHIN_MS)))
      expect(parting(seenBy(driver, expected), found.found[0] ?? []), `${when}: the consumer, partition 0`).toBeUndefined()
      expect(parting(seenBy(driver, found.expected), found.found[1] ?? []), `${when}: the consumer, partition 1`).toBeUndefined()
    }

    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      it(`seed ${seed}: committed and aborted transactions side by side, every codec, every shape of record`, async () => {
        const topic = `kept-${seed}`
        const writers = await prepare(topic, 'delete')
        const { committed, aborted, story } = await writeHistory(writers, new SeededRandom(seed), { topic, partitions: PARTITIONS, steps: STEPS, compacted: false, ...kafka.nodes.length > 1 ? { disturb: moveLeader } : {} })
        const read = new Set<string>()
        for (let partition = 0; partition < PARTITIONS; partition++) {
          for (const { value } of await java.read({ topic, partition })) {
            if (value === null || value.length === 0) continue
            const id = idOf(value)
            expect(read.has(id), `${id} is there twice\n${story.join('\n')}`).toBe(false)
            expect(aborted.has(id), `${id} was aborted\n${story.join('\n')}`).toBe(false)
            read.add(id)
          }
        }
        expect([...committed].filter(id => !read.has(id)), story.join('\n')).toEqual([])
        await compare(topic, `seed ${seed}`)
        await Promise.all(writers.map(writer => writer.close()))
      })

      it(`seed ${seed}: compacted and truncated`, async () => {
        const topic = `compacted-${seed}`
        const writers = await prepare(topic, 'compact')
        await writeHistory(writers, new SeededRandom(seed * 7_919), { topic, partitions: PARTITIONS, steps: STEPS, compacted: true })
        await compare(topic, `seed ${seed}, compacting`)
        await java.configureTopic(topic, { 'cleanup.policy': 'compact,delete' })
        for (let partition = 0; partition < PARTITIONS; partition++) {
          const { start, end } = await java.range({ topic, partition })
          const before = start + Math.floor((end - start) * (seed % 10) / 10)
          await until('the broker to know that records may be deleted', 60_000, () => java.truncate({ topic, partition }, before).then(() => true, () => false))
        }
        await compare(topic, `seed ${seed}, truncated`)
        await Promise.all(writers.map(writer => writer.close()))
      })
    }

    async function moveLeader (topic: string, partition: number): Promise<string> {
      const leader = (await java.leaders(topic))[partition] ?? 1
      await kafka.kill(leader)
      await kafka.start(leader)
      return `the leader of ${partition} was killed and came back`
    }
  })
}
