import { expect, it } from 'vitest'
import type { OnlineStore } from '../../../../features/online/index.ts'
import { parseConfig } from '../../../../ops/config/index.ts'
import { Closers } from '../../../../ops/run/closers.ts'
import { openDataDir } from '../../../../ops/run/data-dir.ts'
import { openPipeline } from '../../../../ops/run/pipeline.ts'
import { openRedisOnline } from '../../../../ops/run/online/redis-online.ts'
import { openStores, type OpenOnline, type Stores } from '../../../../ops/run/stores.ts'
import { partitionFor } from '../../../../streams/codec/index.ts'
import { TOPICS, type BedsideEvent } from '../../../../streams/events/index.ts'
import { ManualClock, systemClock } from '../../../../streams/time/index.ts'
import { describeWith, FaultProxy, startRedis } from '../../../kit/servers/index.ts'
import { tempDir } from '../../../kit/temp-dir.ts'

const START = Date.UTC(2030, 0, 7)
const PARTITIONS = 4
const TABLES = ['vitals@1', 'labs@1', 'news2@1', 'encounters', 'alerts'] as const
const PATIENTS = Array.from({ length: 20 }, (_, i) => `patient-${i}`)
const quiet = (): void => undefined

const admit = (bed: string): BedsideEvent => ({ type: 'encounter', action: 'admit', eventTime: START, source: 'test', ward: 'W', bed, ageYears: 60, sex: 'female', hoursSinceHospitalAdmission: -1 })
const charted = (round: number): BedsideEvent => ({
  type: 'observations', kind: 'charted', source: 'test',
  observations: ([['respiratoryRate', 20 + round], ['spo2', 90], ['heartRate', 124], ['systolic', 96], ['temperature', 38.6]] as const).map(([concept, value]) => ({ concept, value, comparator: '=', eventTime: START + round * 1_000, status: 'final', quality: 'valid', resultId: `${round}|${concept}` })),
})

/** All rows, in hexadecimal, of a pipeline that was fed `rounds` rounds of twenty patients; `between` does what is to be done meanwhile. */
async function rowsAfter (openOnline: OpenOnline | undefined, between: (round: number, online: OnlineStore) => Promise<void>): Promise<readonly string[]> {
  const directory = tempDir()
  try {
    await using closers = new Closers()
    const clock = new ManualClock(START)
    const stores = await openStores(closers.use(openDataDir(directory.path)), { clock, partitions: PARTITIONS, retentionMs: 0, replay: false, openOnline }, closers)
    const pipeline = await openPipeline(stores, { clock, logger: { debug: quiet, info: quiet, warn: quiet, error: quiet }, sealer: { seal: b => b, open: b => b }, model: 'off', alerts: {}, driftWindowMs: 60_000, ownsTicks: false }, closers)
    closers.use({ [Symbol.dispose]: stores.stopWaiting })
    for (let round = 0; round < 6; round++) {
      clock.advance(1_000)
      for (const [i, patient] of PATIENTS.entries()) await feed(stores, patient, round === 0 ? admit(String(i)) : charted(round))
      const stepping = (async () => { for (let n = 0; n < 4; n++) for (const processor of pipeline.processors) await processor.step(0) })()
      await between(round, stores.online)
      await stepping
    }
    const rows = await Promise.all(TABLES.map(async table => (await stores.online.scan(table)).map(({ entity, version, value }) => `${table} ${entity} ${version} ${value.toString('hex')}`)))
    return rows.flat().toSorted()
  } finally {
    directory.remove()
  }
}

async function feed ({ log, codecs }: Stores, patient: string, event: BedsideEvent): Promise<void> {
  const key = Buffer.from(patient)
  await log.producer().append({ topic: TOPICS.events, partition: partitionFor(key, PARTITIONS) }, [{ key, value: codecs.encode(event) }])
}

const describeRedis = await describeWith('redis')
describeRedis('the pipeline on a Redis that goes away', () => {
  it('waits, goes on, and ends with the rows of the embedded store, byte by byte: connections cut, Redis killed, a link that is closed', async () => {
    const calm = await rowsAfter(undefined, () => Promise.resolve())
    await using redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
    await using proxy = await FaultProxy.open(redis.port)
    const said: string[] = []
    const faults: readonly (() => Promise<void>)[] = [
      () => Promise.resolve(),
      () => { proxy.cutAfter('up', 700); return Promise.resolve() },
      async () => { await redis.kill(); await redis.start() },
      async () => { await proxy.set({ kind: 'closed' }); await expect.poll(() => said.at(-1)).toBe('away'); await proxy.set({ kind: 'open' }) },
      () => { proxy.cutAfter('down', 3); return Promise.resolve() },
      () => Promise.resolve(),
    ]
    const config = parseConfig(['--redis', `redis://127.0.0.1:${proxy.port}`], {}).redis!
    const logger = { info: () => { said.push('back') }, warn: () => { said.push('away') } }
    const stormy = await rowsAfter(owner => openRedisOnline(config, owner, { clock: systemClock, logger }), async round => { await faults[round]!() })
    expect(calm.length).toBeGreaterThan(60)
    expect(stormy).toEqual(calm)
    expect([said.length % 2, said.filter((line, i) => line !== ['away', 'back'][i % 2])]).toEqual([0, []])
  })

  it('stops while Redis is away, and takes what was not written from the log at the next start', async () => {
    await using redis = await startRedis()
    const directory = tempDir()
    const config = parseConfig(['--redis', redis.url], {}).redis!
    const open = async (closers: Closers) => {
      const clock = new ManualClock(START)
      const stores = await openStores(closers.use(openDataDir(directory.path)), { clock, partitions: PARTITIONS, retentionMs: 0, replay: false, openOnline: owner => openRedisOnline(config, owner, { clock: systemClock, logger: { info: quiet, warn: quiet } }) }, closers)
      const pipeline = await openPipeline(stores, { clock, logger: { debug: quiet, info: quiet, warn: quiet, error: quiet }, sealer: { seal: b => b, open: b => b }, model: 'off', alerts: {}, driftWindowMs: 60_000, ownsTicks: false }, closers)
      closers.use({ [Symbol.dispose]: stores.stopWaiting })
      return { stores, features: pipeline.processors[0]! }
    }
    const first = new Closers()
    const { stores, features } = await open(first)
    await feed(stores, 'anna', admit('1'))
    await redis.kill()
    const step = features.step(0).catch((e: unknown) => (e as { code: string }).code)
    await first[Symbol.asyncDispose]()
    expect(await step).toBe('ONLINE_UNAVAILABLE')
    await redis.start()
    await using second = new Closers()
    const again = await open(second)
    await again.features.step(0)
    expect((await again.stores.online.scan('encounters')).map(r => r.entity)).toEqual(['anna'])
    directory.remove()
  })
})
