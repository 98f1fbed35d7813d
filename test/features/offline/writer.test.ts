import { describe, expect, it } from 'vitest'
import { runOfflineWriter } from '../../../features/offline/index.ts'
import type { OfflineBatch, OfflineDecode, OfflineWriter } from '../../../features/offline/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import type { Consumer, OffsetCommit, RecordCursor, Run } from '../../../streams/log/index.ts'
import { ManualClock, systemClock } from '../../../streams/time/index.ts'
import { describeWithEngine, observationsAt, startTestEngine } from './clickhouse/kit.ts'
import { storeOn } from '../../kit/offline-store.ts'

const TOPIC = 'events'

/** A cursor over values; the offset of the first is `from`. */
function cursorOver (values: readonly string[], from: number): RecordCursor {
  const buffers = values.map(value => Buffer.from(value))
  let at = -1
  const current = (): Buffer => buffers[at] as Buffer
  return {
    next: () => ++at < buffers.length,
    get offset () { return from + at },
    timestamp: 0,
    keyBuffer: Buffer.alloc(0), keyStart: -1, keyEnd: -1,
    get valueBuffer () { return current() }, valueStart: 0, get valueEnd () { return current().length },
    headers: () => [],
  }
}

/** One partition of a log and one group: what is not committed is read again by the next consumer. */
class FakeLog {
  readonly values: string[] = []
  committed = 0
  commits: OffsetCommit[] = []
  fenced = false
  polls = 0

  consumer (runLength: number): Consumer {
    let next = this.committed
    const partition = { topic: TOPIC, partition: 0 }
    return {
      poll: async () => {
        this.polls++
        await systemClock.sleep(0)
        const values = this.values.slice(next, next + runLength)
        if (values.length === 0) return []
        const run: Run = { ...partition, records: cursorOver(values, next), nextOffset: next + values.length }
        next = run.nextOffset
        return [run]
      },
      commit: async offsets => {
        if (this.fenced) throw new LatidoError('MEMBER_FENCED', 'another member has it', 'none')
        this.commits.push(...offsets)
        for (const { offset } of offsets) this.committed = offset
      },
      seek: (_, offset) => { next = offset },
      committed: async () => this.committed,
      assignment: () => [partition],
      metadata: { group: 'offline', memberId: 'm', generation: 1 },
      [Symbol.asyncDispose]: async () => {},
    }
  }
}

const decode: OfflineDecode = (_topic, partition, record, batch) => {
  if (record.valueBuffer.toString() === 'poison') throw new Error('unreadable')
  batch.observations.push(observationsAt(record.offset, { partition }))
}
/** Lets everything that is due by now run. */
async function settle (until: () => boolean): Promise<void> { for (let i = 0; i < 2000 && !until(); i++) await systemClock.sleep(1); expect(until()).toBe(true) }
const away = (): LatidoError => new LatidoError('OFFLINE_UNAVAILABLE', 'away', 'wait')

/** A store that keeps offsets, and may be away. */
class FakeStore {
  away = false
  attempts = 0
  batches: number[][] = []
  write = async (batch: OfflineBatch): Promise<void> => {
    this.attempts++
    if (this.away) throw away()
    this.batches.push(batch.observations.map(row => row.offset))
  }
}

function start (log: FakeLog, store: Pick<FakeStore, 'write'>, clock: ManualClock, more: { readonly rowsMax?: number, readonly bytesMax?: number } = {}): OfflineWriter {
  return runOfflineWriter({ consumer: log.consumer(10), store, decode, clock, flushMs: 2000, backoffMinMs: 100, backoffMaxMs: 400, ...more })
}

describe('the loop that fills the offline store', () => {
  it('writes a batch when it is full, and commits only then', async () => {
    const log = new FakeLog(); const store = new FakeStore(); const clock = new ManualClock(1)
    for (let i = 0; i < 45; i++) log.values.push('x')
    await using writer = start(log, store, clock, { rowsMax: 20 })
    await settle(() => store.batches.length === 2 && log.committed === 40)
    expect(store.batches.flat()).toEqual(Array.from({ length: 40 }, (_, i) => i))
    expect(writer.counters).toMatchObject({ records: 40, batches: 2, retries: 0 })
  })

  it('writes a batch when its bytes are many', async () => {
    const log = new FakeLog(); const store = new FakeStore()
    for (let i = 0; i < 20; i++) log.values.push('x'.repeat(100))
    await using _ = start(log, store, new ManualClock(1), { bytesMax: 1000 })
    await settle(() => store.batches.length === 2)
  })

  it('writes what is two seconds old, and nothing before', async () => {
    const log = new FakeLog(); const store = new FakeStore(); const clock = new ManualClock(1)
    log.values.push('x')
    await using _ = start(log, store, clock)
    await settle(() => log.polls > 5)
    clock.advance(1999)
    const { polls } = log
    await settle(() => log.polls > polls + 5)
    expect(store.attempts).toBe(0)
    clock.advance(1)
    await settle(() => log.committed === 1)
  })

  it('keeps its batch while the store is away, polls nothing, pauses longer and longer up to a bound, and goes on', async () => {
    const log = new FakeLog(); const store = new FakeStore(); const clock = new ManualClock(1)
    for (let i = 0; i < 30; i++) log.values.push('x')
    store.away = true
    await using writer = start(log, store, clock, { rowsMax: 10 })
    await settle(() => writer.state === 'away')
    const { polls } = log
    for (const [pauseMs, attempts] of [[100, 2], [200, 3], [400, 4], [400, 5]] as const) {
      clock.advance(pauseMs - 1)
      expect(store.attempts).toBe(attempts - 1)
      clock.advance(1)
      await settle(() => store.attempts === attempts && writer.counters.retries === attempts)
    }
    expect({ polls: log.polls, committed: log.committed }).toEqual({ polls, committed: 0 })
    store.away = false
    clock.advance(400)
    await settle(() => log.committed === 30)
    expect(writer.state).toBe('on')
    expect(store.batches.flat()).toEqual(Array.from({ length: 30 }, (_, i) => i))
  })

  it('writes what it has when it is stopped', async () => {
    const log = new FakeLog(); const store = new FakeStore()
    log.values.push('x', 'y')
    const writer = start(log, store, new ManualClock(1))
    await settle(() => log.polls > 2)
    await writer.stop()
    expect({ written: store.batches, committed: log.committed }).toEqual({ written: [[0, 1]], committed: 2 })
  })

  it('stops while the store is away, without committing what it could not write', async () => {
    const log = new FakeLog(); const store = new FakeStore()
    log.values.push('x')
    store.away = true
    const writer = start(log, store, new ManualClock(1), { rowsMax: 1 })
    await settle(() => writer.state === 'away')
    await writer.stop()
    expect(log.committed).toBe(0)
  })

  it('counts a record that it cannot read, and goes on', async () => {
    const log = new FakeLog(); const store = new FakeStore()
    log.values.push('x', 'poison', 'y')
    await using writer = start(log, store, new ManualClock(1), { rowsMax: 2 })
    await settle(() => log.committed === 3)
    expect(store.batches).toEqual([[0, 2]])
    expect(writer.counters.undecodable).toBe(1)
  })

  it('moves its offset over records that give no row', async () => {
    const log = new FakeLog(); const store = new FakeStore(); const clock = new ManualClock(1)
    log.values.push('poison')
    await using _ = start(log, store, clock)
    await settle(() => log.polls > 2)
    clock.advance(2000)
    await settle(() => log.committed === 1)
    expect(store.attempts).toBe(0)
  })

  it('goes on when another member has taken over its partition', async () => {
    const log = new FakeLog(); const store = new FakeStore()
    for (let i = 0; i < 20; i++) log.values.push('x')
    log.fenced = true
    await using writer = start(log, store, new ManualClock(1), { rowsMax: 10 })
    await settle(() => store.batches.length === 2)
    await settle(() => writer.counters.fenced === 2)
    expect(log.committed).toBe(0)
  })

  it('ends with the error of a statement that ClickHouse refuses', async () => {
    const log = new FakeLog()
    log.values.push('x')
    const writer = start(log, { write: () => Promise.reject(new LatidoError('OFFLINE_QUERY_FAILED', 'refused', 'look')) }, new ManualClock(1), { rowsMax: 1 })
    await expect(writer.done).rejects.toMatchObject({ code: 'OFFLINE_QUERY_FAILED' })
    expect(log.committed).toBe(0)
  })
})

describeWithEngine('the loop over an engine that is killed and comes back', () => {
  it('loses nothing and counts nothing twice, also when the loop itself starts again', async () => {
    await using started = await startTestEngine()
    const { engine } = started
    await using store = await storeOn(engine)
    const log = new FakeLog()
    for (let i = 0; i < 6000; i++) log.values.push('x')
    const run = (): OfflineWriter => runOfflineWriter({ consumer: log.consumer(100), store, decode, clock: systemClock, rowsMax: 200, flushMs: 50, backoffMinMs: 10, backoffMaxMs: 100 })
    let retries = 0
    for (const until of [1500, 3000, 4500]) {
      const writer = run()
      await waitFor(() => log.committed >= until)
      process.kill(engine.pid as number, 'SIGKILL')
      await waitFor(() => writer.state === 'away')
      if (until === 3000) await writer.stop()
      else { await waitFor(() => writer.state === 'on'); await writer.stop() }
      retries += writer.counters.retries
      await waitFor(() => engine.state === 'on')
    }
    const writer = run()
    await waitFor(() => log.committed === 6000)
    await writer.stop()
    expect(retries).toBeGreaterThan(0)
    expect(await store.query('SELECT count() AS n, uniqExact(`offset`) AS u FROM observations')).toEqual([{ n: 6000, u: 6000 }])
  })
})

async function waitFor (condition: () => boolean): Promise<void> { while (!condition()) await systemClock.sleep(2) }
