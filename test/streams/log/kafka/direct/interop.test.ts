import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bytesOf } from '../../../../../streams/codec/index.ts'
import type { Log, OutRecord, RecordHeader, TopicPartition } from '../../../../../streams/log/index.ts'
import { CODECS, describeWith, requireServer, sharedKafka, startJavaClient, type JavaClient } from '../../../../kit/servers/index.ts'
import { readOnce } from '../../contract.ts'
import { freshPrefix, openDirect, patientGroup } from './kit.ts'

const HEADERS: readonly RecordHeader[] = [{ key: 'origin', value: Buffer.from('é') }, { key: 'none', value: null }, { key: 'bytes', value: Buffer.from([0, 255]) }, { key: '', value: Buffer.alloc(0) }]
/** Every shape of a record; large enough to be worth compressing. */
const SHAPES: readonly OutRecord[] = [
  { key: Buffer.from('k'), value: Buffer.from('v'), timestamp: 1, headers: HEADERS },
  { key: null, value: Buffer.from('no key'), timestamp: 2 },
  { key: Buffer.from('no value'), value: null, timestamp: 3 },
  { key: Buffer.alloc(0), value: Buffer.alloc(0), timestamp: 2 },
  { key: Buffer.alloc(200, 1), value: Buffer.alloc(70_000, 2), timestamp: 4_000_000_000_000 },
]
const hex = (bytes: Buffer | null): string | null => bytes === null ? null : bytes.length > 300 ? `${bytes.length} bytes of ${bytes[0]}` : bytes.toString('hex')
const shown = ({ timestamp, key, value, headers = [] }: OutRecord): object => ({ timestamp, key: hex(key), value: hex(value), headers: headers.map(h => [h.key, hex(h.value)]) })

async function readShapes (log: Log, of: TopicPartition): Promise<readonly object[]> {
  const seen: object[] = []
  const reader = log.reader(of, 0)
  for (let run = await reader.next(); run !== undefined; run = await reader.next()) {
    const r = run.records
    while (r.next()) seen.push(shown({ timestamp: r.timestamp, key: bytesOf(r.keyBuffer, r.keyStart, r.keyEnd), value: bytesOf(r.valueBuffer, r.valueStart, r.valueEnd), headers: r.headers() }))
  }
  return seen
}

const describeKafka = await describeWith('kafka')
const hasKcat = await requireServer('kcat')

describeKafka('direct beside other clients', () => {
  let java: JavaClient
  let bootstrap = ''
  const opened: Log[] = []
  beforeAll(async () => {
    ({ bootstrap } = await sharedKafka())
    java = await startJavaClient(bootstrap)
    await java.committed('nobody') // the JVM has begun to answer
  })
  afterAll(async () => {
    for (const log of opened) await log[Symbol.asyncDispose]()
    await java?.[Symbol.asyncDispose]()
  })

  async function withTopic (compression: 'none' | 'lz4' | 'zstd' = 'none'): Promise<{ readonly log: Log, readonly topic: string, readonly P0: TopicPartition }> {
    const log = await openDirect(bootstrap, { compression })
    opened.push(log)
    const topic = `${freshPrefix()}interop`
    await log.ensureTopics([{ name: topic, partitions: 2, timestamps: 'create', retentionMs: 0 }])
    return { log, topic, P0: { topic, partition: 0 } }
  }

  for (const compression of ['none', 'lz4', 'zstd'] as const) {
    it(`what it writes with compression ${compression} the Java client reads`, async () => {
      const { log, P0 } = await withTopic(compression)
      await log.producer().append(P0, SHAPES)
      expect((await java.read(P0)).map(shown)).toEqual(SHAPES.map(shown))
    })

    it(`its transactions with compression ${compression}, committed and aborted, are what the Java client sees`, async () => {
      const { log, topic, P0 } = await withTopic(compression)
      const [one, two] = [await log.transactionalProducer(`${topic}-1`), await log.transactionalProducer(`${topic}-2`)]
      await patientGroup(bootstrap, topic)
      const member = log.consumer({ group: topic, instance: 'm', topics: [topic], from: 'latest' })
      one.append(P0, SHAPES)
      await one.commit(member.metadata, [])
      two.append(P0, SHAPES)
      await two.abort()
      one.append({ topic, partition: 1 }, [{ key: null, value: Buffer.from('other'), timestamp: 1 }])
      one.append(P0, [{ key: null, value: Buffer.from('last'), timestamp: 1 }])
      await one.commit(member.metadata, [])
      const wanted = [...SHAPES, { key: null, value: Buffer.from('last'), timestamp: 1 }].map(shown)
      await readOnce(log, P0, wanted.length)
      await readOnce(log, { topic, partition: 1 }, 1)
      expect((await java.read(P0)).map(shown)).toEqual(wanted)
      expect(await readShapes(log, P0)).toEqual(wanted)
      expect(await log.range(P0)).toEqual(await java.range(P0))
    })
  }

  for (const codec of CODECS) {
    it(`it reads what the Java client writes with compression ${codec}`, async () => {
      const { log, P0 } = await withTopic()
      const producer = await java.producer(codec)
      await producer.sendAll(P0.topic, SHAPES.map(({ key, value, timestamp = 0, headers = [] }) => ({ partition: 0, key, value, timestamp, headers })))
      await producer.flush()
      await producer.close()
      expect(await readShapes(log, P0)).toEqual(SHAPES.map(shown))
    })

    it.skipIf(!hasKcat)(`it reads what kcat writes with compression ${codec}`, async () => {
      const { log, P0 } = await withTopic()
      const lines = Array.from({ length: 300 }, (_, i) => `key-${i}:value of the record ${i}`)
      const kcat = spawn('kcat', ['-P', '-b', bootstrap, '-t', P0.topic, '-p', '0', '-K', ':', '-z', codec], { stdio: ['pipe', 'ignore', 'inherit'] })
      kcat.stdin.end(`${lines.join('\n')}\n`)
      await once(kcat, 'exit')
      expect((await readOnce(log, P0, 300)).map(r => `${r.key}:${r.value}`)).toEqual(lines)
    })
  }

  it('it sees of Java\'s transactions what is committed, with an open one in the way', async () => {
    const { log, P0 } = await withTopic()
    const [one, two] = [await java.producer('lz4', `${P0.topic}-1`), await java.producer('none', `${P0.topic}-2`)]
    const record = (value: string): { key: null, value: Buffer, timestamp: number } => ({ key: null, value: Buffer.from(value), timestamp: 1 })
    await one.begin(); await two.begin()
    await one.send(P0, record('no')); await two.send(P0, record('yes')); await one.send(P0, record('no'))
    await two.commit(); await one.abort()
    await one.begin(); await one.send(P0, record('open')); await one.flush()
    await two.begin(); await two.send(P0, record('behind it')); await two.commit()
    expect((await readOnce(log, P0, 1)).map(r => r.value)).toEqual(['yes'])
    expect((await log.range(P0)).end).toBe((await java.range(P0)).end)
    await one.commit()
    expect((await readOnce(log, P0, 3)).map(r => r.value)).toEqual(['yes', 'open', 'behind it'])
    await one.close(); await two.close()
  })

  it.skipIf(!hasKcat)('kcat reads what it writes', async () => {
    const { log, P0 } = await withTopic('zstd')
    const records = Array.from({ length: 200 }, (_, i) => ({ key: Buffer.from(`k${i}`), value: Buffer.from(`value ${i}`), timestamp: 1_000 + i, headers: [{ key: 'n', value: Buffer.from(String(i)) }] }))
    await log.producer().append(P0, records)
    const { stdout } = await promisify(execFile)('kcat', ['-C', '-b', bootstrap, '-t', P0.topic, '-p', '0', '-o', 'beginning', '-e', '-q', '-X', 'isolation.level=read_committed', '-f', '%o %T %k %s %h\n'])
    expect(stdout.trim().split('\n')).toEqual(records.map((r, i) => `${i} ${r.timestamp} k${i} value ${i} n=${i}`))
  })
})
