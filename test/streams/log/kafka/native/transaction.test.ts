import { expect, it } from 'vitest'
import type { Library } from '../../../../../streams/log/kafka/native/library.ts'
import { openTransaction, type NativeTransaction, type TransactionHost } from '../../../../../streams/log/kafka/native/transaction.ts'
import { KAFKA_DEFAULTS } from '../../../../../streams/log/kafka/options.ts'
import { systemClock } from '../../../../../streams/time/index.ts'

type Done = (e?: object) => void
const GROUP = { group: 'g', memberId: 'm', generation: 1 }
const TO = { topic: 'out', partition: 0 }
const record = (value: string): { key: null, value: Buffer } => ({ key: null, value: Buffer.from(value) })

/** A library that answers as it is told, and keeps a story of what it was asked. */
class Script {
  readonly story: string[] = []
  readonly answers: Record<string, (object | undefined)[]> = {}
  room = Number.MAX_SAFE_INTEGER

  say (what: string, done?: Done): void {
    this.story.push(what)
    done?.(this.answers[what]?.shift())
  }
}

/** `requestTimeoutMs`: how long what may pass is tried again. */
async function open (script: Script, requestTimeoutMs = 60_000): Promise<NativeTransaction> {
  class Producer {
    on (): this { return this }
    connect (_: object, done: Done): this { done(); return this }
    isConnected (): boolean { return true }
    disconnect (done: Done): void { script.say('disconnect'); done() }
    poll (): void { script.room++ }
    produce (_topic: string, _partition: number, value: Buffer): boolean {
      if (script.room <= 0) throw Object.assign(new Error('queue full'), { code: -184 })
      script.room--
      const refused = script.answers['produce']?.shift()
      if (refused !== undefined) throw refused
      script.story.push(`produce ${value.toString()}`)
      return true
    }

    initTransactions (_: number, done: Done): void { script.say('init', done) }
    beginTransaction (done: Done): void { script.say('begin', done) }
    commitTransaction (_: number, done: Done): void { script.say('commit', done) }
    abortTransaction (_: number, done: Done): void { script.say('abort', done) }
  }
  const host: TransactionHost = {
    library: { Producer } as unknown as Library,
    options: { ...KAFKA_DEFAULTS, brokers: ['b:1'], requestTimeoutMs, clock: systemClock },
    check: () => {},
    member: () => undefined,
  }
  return await openTransaction(host, 't')
}

it('commits what was appended, and the next transaction begins by itself', async () => {
  const script = new Script()
  const transaction = await open(script)
  transaction.append(TO, [record('a')])
  await transaction.commit(GROUP, [])
  transaction.append(TO, [record('b')])
  await transaction.abort()
  expect(script.story).toEqual(['init', 'begin', 'produce a', 'commit', 'begin', 'produce b', 'abort', 'begin'])
})

it('asks the brokers nothing for a transaction in which nothing was done', async () => {
  const script = new Script()
  const transaction = await open(script)
  await transaction.commit(GROUP, [])
  await transaction.abort()
  expect(script.story).toEqual(['init', 'begin'])
})

it('keeps the order of records for which the queue had no room, and their bytes', async () => {
  const script = new Script()
  const transaction = await open(script)
  script.room = 1
  const reused = Buffer.from('....')
  const sink = transaction.sink(TO)
  for (const letter of ['a', 'b', 'c']) { reused.fill(letter); sink.add(1, reused, -1, -1, reused, 0, 1) }
  await transaction.commit(GROUP, [])
  expect(script.story.filter(s => s.startsWith('produce'))).toEqual(['produce a', 'produce b', 'produce c'])
})

it('repeats what the library says may pass', async () => {
  const script = new Script()
  const transaction = await open(script)
  transaction.append(TO, [record('a')])
  script.answers['commit'] = [{ code: -185, message: 'timed out', isRetriable: true }, { code: -185, message: 'timed out', isRetriable: true }]
  await transaction.commit(GROUP, [])
  expect(script.story.filter(s => s === 'commit')).toHaveLength(3)
})

it('aborts where the library says that it must, and goes on', async () => {
  const script = new Script()
  const transaction = await open(script)
  transaction.append(TO, [record('a')])
  script.answers['commit'] = [{ code: -195, message: 'transport', isTxnRequiresAbort: true }]
  await expect(transaction.commit(GROUP, [])).rejects.toMatchObject({ code: 'TRANSACTION_ABORTED' })
  transaction.append(TO, [record('b')])
  await transaction.commit(GROUP, [])
  expect(script.story.slice(2)).toEqual(['produce a', 'commit', 'abort', 'begin', 'produce b', 'commit', 'begin'])
})

it('aborts for a member that has left', async () => {
  const script = new Script()
  const transaction = await open(script)
  transaction.append(TO, [record('a')])
  await expect(transaction.commit(GROUP, [{ topic: 'in', partition: 0, offset: 1 }])).rejects.toMatchObject({ code: 'MEMBER_FENCED' })
  expect(script.story.slice(2)).toEqual(['produce a', 'abort', 'begin'])
})

it('never goes on when a newer producer has fenced it, and says so at the commit', async () => {
  const script = new Script()
  const transaction = await open(script)
  script.answers['produce'] = [Object.assign(new Error('fatal'), { code: -150 })]
  transaction.append(TO, [record('a')])
  transaction.append(TO, [record('b')])
  await expect(transaction.commit(GROUP, [])).rejects.toMatchObject({ code: 'PRODUCER_FENCED' })
  await expect(transaction.abort()).rejects.toMatchObject({ code: 'PRODUCER_FENCED' })
  expect(script.story).toEqual(['init', 'begin'])
})

it('forgets a transaction of which a record was refused, and says why', async () => {
  const script = new Script()
  const transaction = await open(script)
  script.answers['produce'] = [undefined, Object.assign(new Error('message size too large'), { code: 10 })] as (object | undefined)[]
  transaction.append(TO, [record('a'), record('b'), record('c')])
  await expect(transaction.commit(GROUP, [])).rejects.toMatchObject({ code: 'RECORD_TOO_LARGE' })
  await transaction.commit(GROUP, [])
  expect(script.story.slice(2)).toEqual(['produce a', 'produce c', 'abort', 'begin'])
})

it('does not guess how a commit ended whose answer stays away', async () => {
  const script = new Script()
  const transaction = await open(script, 50)
  transaction.append(TO, [record('a')])
  script.answers['commit'] = Array.from({ length: 100 }, () => ({ code: -185, message: 'timed out', isRetriable: true }))
  await expect(transaction.commit(GROUP, [])).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' })
  await expect(transaction.commit(GROUP, [])).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' })
  await transaction[Symbol.asyncDispose]()
  expect(script.story.filter(s => s === 'abort')).toEqual([])
})
