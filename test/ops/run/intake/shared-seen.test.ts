import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openIntake, type OpenIntake } from '../../../../connectors/kit/index.ts'
import { keptMarkOf, markOf, OwnSeenMessages } from '../../../../connectors/kit/seen-messages.ts'
import { RedisConnection, REDIS_DEFAULTS } from '../../../../features/online/index.ts'
import { SharedSeen } from '../../../../ops/run/intake/shared-seen.ts'
import { openLmdb } from '../../../../streams/lmdb/index.ts'
import { isLatidoError } from '../../../../streams/errors/index.ts'
import { TOPICS } from '../../../../streams/events/index.ts'
import type { Log } from '../../../../streams/log/index.ts'
import { ManualClock, systemClock } from '../../../../streams/time/index.ts'
import { heartRates, numerics, openHouse, read, sealer, type House } from '../../../connectors/kit/house.ts'
import { describeWith, startRedis, type RedisServer } from '../../../kit/servers/index.ts'
import { tempDir } from '../../../kit/temp-dir.ts'

const NOW_MS = 1_900_000_000_000
const CLAIM_MS = 45_000
const RAW = Buffer.from('a message that nobody can read')
const REFUSED = { cause: 'code-unknown', detail: 'OBX 1', source: 'hl7:test', feed: 'lab', raw: RAW } as const
const describeRedis = await describeWith('redis')

describeRedis('two instances with one memory of messages', () => {
  let redis: RedisServer
  let connections: RedisConnection[]
  let directory: ReturnType<typeof tempDir>
  let clock: ManualClock
  let house: House
  let away: number
  const opened: OpenIntake[] = []

  beforeEach(async () => {
    redis = await startRedis()
    directory = tempDir()
    clock = new ManualClock(NOW_MS)
    house = await openHouse(directory.path, clock)
    connections = []
    away = 0
  })
  afterEach(async () => {
    for (const one of opened.splice(0)) await one[Symbol.asyncDispose]()
    for (const one of connections) await one[Symbol.asyncDispose]()
    await house.close()
    await redis[Symbol.asyncDispose]()
    directory.remove()
  })

  async function connection (): Promise<RedisConnection> {
    const one = await RedisConnection.open({ ...REDIS_DEFAULTS, nodes: [{ host: '127.0.0.1', port: redis.port }], clock: systemClock })
    connections.push(one)
    return one
  }

  /** Appends wait for the gate. */
  function slowLog (gate: Promise<void>): Log {
    return new Proxy(house.log, { get: (log, name) => {
      const value: unknown = Reflect.get(log, name, log)
      if (name !== 'producer') return typeof value === 'function' ? value.bind(log) as unknown : value
      return () => { const inner = log.producer(); return { ...inner, append: async (...args: Parameters<typeof inner.append>) => { await gate; return await inner.append(...args) } } }
    } })
  }

  /** As a sender that gets no answer. */
  async function offered<T> (work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work()
      } catch (e) {
        if (!isLatidoError(e) || e.code !== 'MESSAGE_CLAIMED') throw e
        await new Promise(setImmediate)
      }
    }
  }

  const kept = async (topic: string): Promise<number> => (await read(house.log, topic, record => record.offset)).length

  async function intakeOf (instance: string, log: Log = house.log): Promise<OpenIntake> {
    const link = await connection()
    const intake = await openIntake({
      log, codecs: house.codecs, clock, directory: join(directory.path, instance), sealer, identify: ({ id }) => Promise.resolve(`key-${id.length}` as never), // as the house does
      share: own => new SharedSeen(own, { redis: link, prefix: 'test:', instance, keptMs: 1_000_000, claimMs: CLAIM_MS, onAway: () => { away++ } }),
    })
    opened.push(intake)
    return intake
  }

  it('publish what comes to both of them once', async () => {
    const [a, b] = [await intakeOf('a'), await intakeOf('b')]
    expect((await a.publish(numerics('1', 80))).kind).toBe('published')
    expect(await offered(() => b.publish(numerics('1', 80)))).toEqual({ kind: 'duplicate' })
    expect((await b.publish(numerics('1', 90))).kind).toBe('published')
    expect(await offered(() => a.publish(numerics('1', 90)))).toEqual({ kind: 'duplicate' })
    expect(await heartRates(house)).toEqual([80, 90])
  })

  it('hold a message off that the other one is publishing', async () => {
    let go!: () => void
    const gate = new Promise<void>(resolve => { go = resolve })
    const [a, b] = [await intakeOf('a', slowLog(gate)), await intakeOf('b')]
    const first = a.publish(numerics('1', 80))
    await expect.poll(() => redis.cli('KEYS', 'test:seen:*')).toContain('test:seen:')
    await expect(b.publish(numerics('1', 80))).rejects.toMatchObject({ code: 'MESSAGE_CLAIMED' })
    go()
    expect((await first).kind).toBe('published')
    await expect.poll(async () => (await b.publish(numerics('1', 80)).catch(() => ({ kind: 'claimed' }))).kind).toBe('duplicate')
    expect(await heartRates(house)).toEqual([80])
  })

  it.each([['before', false], ['after', true]] as const)('find in the log what became of a message whose claimant died %s it was published', async (_, published) => {
    const root = openLmdb(join(directory.path, 'dead'), 'the test store')
    const dead = new SharedSeen(new OwnSeenMessages(root, 1_000_000), { redis: await connection(), prefix: 'test:', instance: 'dead', keptMs: 1_000_000, claimMs: CLAIM_MS, onAway: () => { away++ } })
    const message = numerics('1', 80)
    expect(await dead.claim(markOf(message.source, message.messageId, message.content), clock.now())).toBe('new')
    if (published) await house.intake.publish(message)
    await root.close()
    const b = await intakeOf('b')
    await expect(b.publish(message)).rejects.toMatchObject({ code: 'MESSAGE_CLAIMED' })
    clock.advance(CLAIM_MS)
    expect((await b.publish(message)).kind).toBe(published ? 'duplicate' : 'published')
    expect(await heartRates(house)).toEqual([80])
  })

  it('keep what both of them refuse or archive once, one after the other and at the same time', async () => {
    const [a, b] = [await intakeOf('a'), await intakeOf('b')]
    await a.refuse(REFUSED)
    await offered(() => b.refuse(REFUSED))
    await b.archive({ source: 'hl7:test', type: 'BAR^P01', raw: RAW })
    await offered(() => a.archive({ source: 'hl7:test', type: 'BAR^P01', raw: RAW }))
    expect([await kept(TOPICS.deadLetters), await kept(TOPICS.archive)]).toEqual([1, 1])
    const other = { ...REFUSED, raw: Buffer.from('another message') }
    const both = await Promise.allSettled([a.refuse(other), b.refuse(other)])
    for (const one of both) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'MESSAGE_CLAIMED' })
    for (const one of [a, b]) await offered(() => one.refuse(other)) // the sender of the one that was held off offers it again
    expect(await kept(TOPICS.deadLetters)).toBe(2)
  })

  it('hold a message off that the other one is refusing', async () => {
    let go!: () => void
    const gate = new Promise<void>(resolve => { go = resolve })
    const [a, b] = [await intakeOf('a', slowLog(gate)), await intakeOf('b')]
    const first = a.refuse(REFUSED)
    await expect.poll(() => redis.cli('KEYS', 'test:seen:*')).toContain('test:seen:')
    await expect(b.refuse(REFUSED)).rejects.toMatchObject({ code: 'MESSAGE_CLAIMED' })
    go()
    await first
    await expect.poll(async () => await b.refuse(REFUSED).then(() => 'kept', () => 'claimed')).toBe('kept')
    expect(await kept(TOPICS.deadLetters)).toBe(1)
  })

  it.each([['before', false], ['after', true]] as const)('find in the log what became of a message whose refuser died %s the dead letter was there', async (_, stored) => {
    const root = openLmdb(join(directory.path, 'dead'), 'the test store')
    const dead = new SharedSeen(new OwnSeenMessages(root, 1_000_000), { redis: await connection(), prefix: 'test:', instance: 'dead', keptMs: 1_000_000, claimMs: CLAIM_MS, onAway: () => { away++ } })
    expect(await dead.claim(keptMarkOf(`${REFUSED.source}|refused ${REFUSED.feed} ${REFUSED.cause}`, RAW), clock.now())).toBe('new')
    if (stored) await house.intake.refuse(REFUSED)
    await root.close()
    const b = await intakeOf('b')
    await expect(b.refuse(REFUSED)).rejects.toMatchObject({ code: 'MESSAGE_CLAIMED' })
    clock.advance(CLAIM_MS)
    await b.refuse(REFUSED)
    await b.refuse(REFUSED)
    expect(await kept(TOPICS.deadLetters)).toBe(1)
  })

  it('forget in Redis what they published, also what was published while Redis could not be asked', async () => {
    const a = await intakeOf('a')
    const mark = markOf('hl7:test', 'unclaimed', Buffer.from('x'))
    const shared = new SharedSeen(new OwnSeenMessages(openLmdb(join(directory.path, 'own'), 'the test store'), 1_000_000), { redis: await connection(), prefix: 'test:', instance: 'a', keptMs: 1_000_000, claimMs: CLAIM_MS, onAway: () => { away++ } })
    shared.remember(mark, clock.now())
    await a.publish(numerics('1', 80))
    await expect.poll(async () => (await redis.cli('KEYS', 'test:seen:*')).trim().split('\n').length).toBe(2)
    for (const key of (await redis.cli('KEYS', 'test:seen:*')).trim().split('\n')) await expect.poll(async () => Number(await redis.cli('PTTL', key))).toBeGreaterThan(0)
  })

  it('go on alone while Redis is away, and count that', async () => {
    const a = await intakeOf('a')
    await redis.kill()
    expect((await a.publish(numerics('1', 80))).kind).toBe('published')
    expect(await a.publish(numerics('1', 80))).toEqual({ kind: 'duplicate' })
    expect(away).toBeGreaterThan(0)
  })
})
