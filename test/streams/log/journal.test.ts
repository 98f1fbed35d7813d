import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Journal, readJournal } from '../../../streams/log/embedded/journal.ts'
import { readWriteSet, sizeOfWriteSet, writeWriteSet, type WriteSet } from '../../../streams/log/embedded/write-set.ts'
import { openEmbeddedLog, type Log } from '../../../streams/log/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { drain, IN } from './contract.ts'

const P0 = { topic: 'in', partition: 0 }
const clock = new ManualClock(1_000)
let directory: ReturnType<typeof tempDir>
beforeEach(() => { directory = tempDir() })
afterEach(() => { directory.remove() })

const set = (text: string, offset: number): WriteSet => ({ blocks: [{ topic: 1, partition: 2, base: offset, bytes: Buffer.from(text) }], offsets: [{ key: 'g/in/0', offset }] })
const texts = (): string[] => readJournal(directory.path).map(({ sequence, set: { blocks, offsets } }) => `${sequence} ${blocks.map(b => b.bytes.toString()).join()} ${offsets.map(o => o.offset).join()}`)

describe('the journal', () => {
  it('has every entry that was appended, in order, and of the other segment what is older', async () => {
    const journal = new Journal(directory.path, () => 0)
    for (let n = 1; n <= 3; n++) await journal.append({ sequence: n, set: set(`first ${n}`, n) })
    journal.turn()
    await journal.append({ sequence: 4, set: set('second', 4) })
    expect(texts()).toEqual(['1 first 1 1', '2 first 2 2', '3 first 3 3', '4 second 4'])
    journal.turn()
    await journal.append({ sequence: 5, set: set('third', 5) })
    journal.close()
    expect(texts()).toEqual(['4 second 4', '5 third 5'])
  })

  it('leaves out a last entry that was half written', async () => {
    const journal = new Journal(directory.path, () => 0)
    for (let n = 1; n <= 3; n++) await journal.append({ sequence: n, set: set(`entry ${n}`, n) })
    journal.close()
    const file = join(directory.path, 'journal-0')
    const whole = readFileSync(file)
    for (let cut = 1; cut < whole.length / 3; cut++) {
      writeFileSync(file, whole.subarray(0, whole.length - cut))
      expect(texts()).toHaveLength(2)
    }
    whole[whole.length - 1]! ^= 1
    writeFileSync(file, whole)
    expect(texts()).toHaveLength(2)
  })

  it('says that it is damaged where a whole entry follows a broken one', async () => {
    const journal = new Journal(directory.path, () => 0)
    for (let n = 1; n <= 3; n++) await journal.append({ sequence: n, set: set(`entry ${n}`, n) })
    journal.close()
    const file = join(directory.path, 'journal-0')
    const bytes = readFileSync(file)
    bytes[Math.floor(bytes.length / 2)]! ^= 1
    writeFileSync(file, bytes)
    expect(() => readJournal(directory.path)).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }))
  })

  it('writes any set so that it is read the same', () => {
    const block = fc.record({ topic: fc.nat({ max: 2 ** 32 - 1 }), partition: fc.nat({ max: 65_535 }), base: fc.nat({ max: 2 ** 48 - 1 }), bytes: fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)) })
    const offset = fc.record({ key: fc.string({ unit: 'grapheme', maxLength: 40 }), offset: fc.nat({ max: 2 ** 48 - 1 }) })
    fc.assert(fc.property(fc.array(block, { maxLength: 5 }), fc.array(offset, { maxLength: 5 }), (blocks, offsets) => {
      const bytes = Buffer.alloc(sizeOfWriteSet({ blocks, offsets }) + 7)
      writeWriteSet({ blocks, offsets }, bytes, 7)
      expect(readWriteSet(bytes.subarray(7))).toEqual({ blocks, offsets })
    }))
  })
})

const open = async (path: string): Promise<Log> => {
  const log = await openEmbeddedLog({ directory: path, clock })
  await log.ensureTopics([IN])
  return log
}

async function valuesIn (log: Log): Promise<readonly string[]> {
  const reader = log.reader(P0, 0)
  const values: string[] = []
  for (let run = await reader.next(); run !== undefined; run = await reader.next()) values.push(...drain([run]).map(r => r.value))
  return values
}

/** What a process that was killed now would leave. */
async function afterAKill (from: string, look: (log: Log) => Promise<void>): Promise<void> {
  const copy = tempDir()
  cpSync(from, copy.path, { recursive: true })
  const log = await open(copy.path)
  await look(log)
  await log[Symbol.asyncDispose]()
  copy.remove()
}

describe('the embedded log over its journal', () => {
  it('has after a kill all that was answered, whatever of it LMDB had, and each offset that was committed', async () => {
    const log = await open(directory.path)
    const producer = log.producer()
    const small = 'x'.repeat(1_000)
    const sent: string[] = []
    const consumer = log.consumer({ group: 'g', instance: 'a', topics: ['in'], from: 'earliest' })
    await consumer.poll(0)
    for (const size of [10, 300, 3, 1, 200, 600, 2]) { // kilobytes: some wait in the journal, some fill it, some go past it
      const value = `${sent.length} ${small.repeat(size)}`
      await producer.append(P0, [{ key: null, value: Buffer.from(value) }])
      sent.push(value)
      await consumer.commit([{ ...P0, offset: sent.length }])
      expect(await valuesIn(log)).toEqual(sent)
      await afterAKill(directory.path, async again => {
        expect(await valuesIn(again)).toEqual(sent)
        expect(await again.committedOffset('g', P0)).toBe(sent.length)
        expect((await again.producer().append(P0, [{ key: null, value: Buffer.from('next') }])).baseOffset).toBe(sent.length)
      })
    }
    await log[Symbol.asyncDispose]()
  })

  it('goes on where it was, through many turns of the journal and starts', async () => {
    const sent: string[] = []
    for (let start = 0; start < 4; start++) {
      const log = await open(directory.path)
      const producer = log.producer()
      for (let i = 0; i < 150; i++) {
        sent.push(`${start}/${i} ${'y'.repeat(4_000)}`)
        await producer.append(P0, [{ key: null, value: Buffer.from(sent.at(-1)!) }])
      }
      expect((await valuesIn(log)).map(value => value.slice(0, 10))).toEqual(sent.map(value => value.slice(0, 10)))
      const half = await log.reader(P0, 75).next()
      expect(drain([half!])[0]?.value === sent[75]).toBe(true)
      await log[Symbol.asyncDispose]()
    }
  })

  it('does not start on a journal and a store of different times', async () => {
    const log = await open(directory.path)
    const producer = log.producer()
    const old = tempDir()
    cpSync(directory.path, old.path, { recursive: true })
    for (let i = 0; i < 300; i++) await producer.append(P0, [{ key: null, value: Buffer.alloc(4_000) }])
    await log[Symbol.asyncDispose]()
    for (const name of ['journal-0', 'journal-1']) cpSync(join(directory.path, name), join(old.path, name))
    await expect(open(old.path)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    for (const name of ['journal-0', 'journal-1']) rmSync(join(old.path, name))
    const again = await open(old.path)
    expect(await valuesIn(again)).toEqual([])
    await again[Symbol.asyncDispose]()
    old.remove()
  })
})
