import { randomUUID } from 'node:crypto'
import { afterAll, expect, it } from 'vitest'
import { KAFKA_DEFAULTS, openKafkaLog } from '../../../streams/log/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { openWorkerPool } from '../../../streams/workers/index.ts'
import { describeWith, sharedKafka, until } from '../../kit/servers/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { drain } from '../log/contract.ts'
import { topicsOf } from './kafka-member.ts'

const describeKafka = await describeWith('kafka')
const dir = tempDir()
afterAll(() => { dir.remove() })
const RECORDS = 400

describeKafka('a pool of threads on Kafka', () => {
  it('spreads the partitions over its threads, and processes each record once', async () => {
    const { bootstrap } = await sharedKafka()
    const prefix = `pool-${randomUUID()}`
    const { log } = await openKafkaLog({ ...KAFKA_DEFAULTS, brokers: bootstrap.split(','), driver: 'direct', replication: 1, minInsyncReplicas: 1, clock: systemClock })
    await log.ensureTopics(topicsOf(prefix))
    const said: string[] = []
    const pool = openWorkerPool(new URL('./kafka-member.ts', import.meta.url), { brokers: bootstrap.split(','), prefix, directory: dir.path }, { clock: systemClock, onChange: what => { said.push(what) } }, { threadsMin: 2, threadsMax: 2 })
    await until('two threads run', 60_000, () => said.filter(s => s.includes('runs')).length === 2)
    const producer = log.producer()
    for (let i = 0; i < RECORDS; i++) await producer.append({ topic: `${prefix}.in`, partition: i % 4 }, [{ key: Buffer.from(`k${i % 4}`), value: Buffer.from('1'), timestamp: 1_000 }])
    const sums = async (): Promise<readonly string[]> => (await Promise.all([0, 1, 2, 3].map(async partition => {
      const lines: string[] = []
      const reader = log.reader({ topic: `${prefix}.out`, partition }, 0)
      for (let run = await reader.next(); run !== undefined; run = await reader.next()) lines.push(...drain([run]).map(r => r.value))
      return lines
    }))).flat()
    await until('all outputs', 60_000, async () => (await sums()).length >= RECORDS)
    expect((await sums()).map(line => line.split(' at ')[0]).sort()).toEqual([0, 1, 2, 3].flatMap(() => Array.from({ length: RECORDS / 4 }, (_, i) => `sum ${i + 1} of ${i + 1}`)).sort())
    await pool[Symbol.asyncDispose]()
    expect(pool.statistics.records).toBeGreaterThanOrEqual(RECORDS)
    await log[Symbol.asyncDispose]()
  })
})
