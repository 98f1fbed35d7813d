import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { RecordHeader, TopicPartition } from '../../../streams/log/index.ts'
import { kafkaJars } from './java.ts'

export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Codec = (typeof CODECS)[number]

export type Isolation = 'read_committed' | 'read_uncommitted'

export interface PlainRecord { readonly timestamp?: number, readonly key: Buffer | null, readonly value: Buffer | null, readonly headers?: readonly RecordHeader[] }
export interface ReadRecord extends PlainRecord { readonly offset: number, readonly timestamp: number, readonly headers: readonly RecordHeader[] }

/** A producer of the Java client. Commands go out in order; what `send` takes is acknowledged by `flush` or `commit`, which answer the offsets. */
export interface JavaProducer {
  begin (): Promise<void>
  send (to: TopicPartition, record: PlainRecord): Promise<void>
  /** Many at once, to partitions of one topic. */
  sendAll (topic: string, records: readonly (PlainRecord & { readonly partition: number })[]): Promise<void>
  flush (): Promise<readonly number[]>
  commit (): Promise<readonly number[]>
  abort (): Promise<void>
  close (): Promise<void>
}

/** Kafka's own client in a JVM: the reference that ours is compared with, and administration for tests. */
export interface JavaClient extends AsyncDisposable {
  createTopic (topic: string, partitions: number, config?: Readonly<Record<string, string>>, replication?: number): Promise<void>
  configureTopic (topic: string, config: Readonly<Record<string, string>>): Promise<void>
  /** The leading node of each partition; -1 where there is none. */
  leaders (topic: string): Promise<readonly number[]>
  /** Deletes the records before an offset. */
  truncate (of: TopicPartition, before: number): Promise<void>
  producer (codec?: Codec, transactionalId?: string): Promise<JavaProducer>
  /** Every record from the first kept one (or `from`) to the end. Default read_committed. */
  read (of: TopicPartition, options?: { readonly from?: number, readonly isolation?: Isolation }): Promise<readonly ReadRecord[]>
  range (of: TopicPartition, isolation?: Isolation): Promise<{ readonly start: number, readonly end: number }>
  /** Committed offsets of a group by `topic/partition`. */
  committed (group: string): Promise<Readonly<Record<string, number>>>
}

interface Answer {
  readonly error?: string
  readonly leaders?: readonly number[]
  readonly offsets?: unknown
  readonly start?: number
  readonly end?: number
  readonly records?: readonly { readonly offset: number, readonly timestamp: number, readonly key: string | null, readonly value: string | null, readonly headers: readonly { readonly key: string, readonly value: string | null }[] }[]
}

/** Starts the JVM, which compiles the shell's source first (about 2 s). It ends when its input does, so with its owner. */
export async function startJavaClient (bootstrap: string): Promise<JavaClient> {
  const source = fileURLToPath(new URL('java/KafkaShell.java', import.meta.url))
  const shell = spawn('java', ['-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', `${await kafkaJars()}/*`, source, bootstrap], { stdio: ['pipe', 'pipe', 'pipe'] })
  return new Shell(shell)
}

const b64 = (bytes: Buffer | null): string | null => bytes === null ? null : bytes.toString('base64')
const plain = ({ timestamp, key, value, headers = [] }: PlainRecord): object => ({ timestamp, key: b64(key), value: b64(value), headers: headers.map(h => ({ key: h.key, value: b64(h.value) })) })
const bytesOf = (text: string | null): Buffer | null => text === null ? null : Buffer.from(text, 'base64')

class Shell implements JavaClient {
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #waiting: { readonly resolve: (answer: Answer) => void, readonly reject: (e: Error) => void }[] = []
  #printed = ''
  #producers = 0
  #ended = false

  constructor (process: ChildProcessByStdio<Writable, Readable, Readable>) {
    this.#process = process
    process.stderr.on('data', (bytes: Buffer) => { this.#printed = (this.#printed + bytes.toString()).slice(-4_000) })
    process.stdin.on('error', () => {}) // the end of the process says more
    createInterface({ input: process.stdout }).on('line', line => { this.#waiting.shift()?.resolve(JSON.parse(line) as Answer) })
    process.on('exit', () => {
      this.#ended = true
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(`the Java client ended: ${this.#printed}`))
    })
  }

  async createTopic (topic: string, partitions: number, config: Readonly<Record<string, string>> = {}, replication?: number): Promise<void> { await this.#ask({ do: 'create', topic, partitions, config, replication }) }
  async configureTopic (topic: string, config: Readonly<Record<string, string>>): Promise<void> { await this.#ask({ do: 'configure', topic, config }) }
  async leaders (topic: string): Promise<readonly number[]> { return (await this.#ask({ do: 'leaders', topic })).leaders ?? [] }
  async truncate ({ topic, partition }: TopicPartition, before: number): Promise<void> { await this.#ask({ do: 'truncate', topic, partition, before }) }

  async producer (codec: Codec = 'none', transactionalId?: string): Promise<JavaProducer> {
    const id = `p${++this.#producers}`
    await this.#ask({ do: 'open', id, codec, transactionalId })
    const simple = (what: string) => async (): Promise<void> => { await this.#ask({ do: what, id }) }
    const offsets = (what: string) => async (): Promise<readonly number[]> => (await this.#ask({ do: what, id })).offsets as readonly number[]
    return {
      begin: simple('begin'), abort: simple('abort'), close: simple('close'), flush: offsets('flush'), commit: offsets('commit'),
      send: async ({ topic, partition }, record) => { await this.#ask({ do: 'send', id, topic, records: [{ partition, ...plain(record) }] }) },
      sendAll: async (topic, records) => { await this.#ask({ do: 'send', id, topic, records: records.map(record => ({ partition: record.partition, ...plain(record) })) }) },
    }
  }

  async read ({ topic, partition }: TopicPartition, { from, isolation = 'read_committed' }: { readonly from?: number, readonly isolation?: Isolation } = {}): Promise<readonly ReadRecord[]> {
    const { records = [] } = await this.#ask({ do: 'read', topic, partition, from, isolation })
    return records.map(({ offset, timestamp, key, value, headers }) => ({ offset, timestamp, key: bytesOf(key), value: bytesOf(value), headers: headers.map(h => ({ key: h.key, value: bytesOf(h.value) })) }))
  }

  async range ({ topic, partition }: TopicPartition, isolation: Isolation = 'read_committed'): Promise<{ readonly start: number, readonly end: number }> {
    const { start = 0, end = 0 } = await this.#ask({ do: 'ends', topic, partition, isolation })
    return { start, end }
  }

  async committed (group: string): Promise<Readonly<Record<string, number>>> { return (await this.#ask({ do: 'offsets', group })).offsets as Readonly<Record<string, number>> }

  [Symbol.asyncDispose] (): Promise<void> {
    if (!this.#ended) this.#process.kill('SIGKILL')
    return Promise.resolve()
  }

  async #ask (command: object): Promise<Answer> {
    if (this.#ended) throw new Error(`the Java client has ended: ${this.#printed}`)
    const answer = await new Promise<Answer>((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#process.stdin.write(`${JSON.stringify(command)}\n`)
    })
    if (answer.error !== undefined) throw new Error(answer.error)
    return answer
  }
}
