import { expect, it } from 'vitest'
import { openEmbeddedOnlineStore, type OnlineStore } from '../../../features/online/index.ts'
import { Closers } from '../../../ops/run/closers.ts'
import { openDataDir } from '../../../ops/run/data-dir.ts'
import { openPipeline } from '../../../ops/run/pipeline.ts'
import { rebuildOnline } from '../../../ops/run/rebuild-online.ts'
import { openStores, type Stores } from '../../../ops/run/stores.ts'
import { partitionFor } from '../../../streams/codec/index.ts'
import { TOPICS, type BedsideEvent } from '../../../streams/events/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { row } from '../../features/online/contract.ts'
import { tempDir } from '../../kit/temp-dir.ts'

const START = Date.UTC(2030, 0, 7)
const PARTITIONS = 4
const quiet = (): void => undefined
const TABLES = ['vitals@1', 'labs@1', 'news2@1', 'encounters', 'scores', 'alerts'] as const

const stay = (action: 'admit' | 'discharge'): BedsideEvent => ({ type: 'encounter', action, eventTime: START, source: 'test', ward: 'W', bed: '1', ageYears: 60, sex: 'female', hoursSinceHospitalAdmission: -1 })
const charted = (breaths: number): BedsideEvent => ({
  type: 'observations', kind: 'charted', source: 'test',
  observations: ([['respiratoryRate', breaths], ['spo2', 90], ['heartRate', 124], ['systolic', 96], ['temperature', 38.6]] as const).map(([concept, value]) => ({ concept, value, comparator: '=', eventTime: START, status: 'final', quality: 'valid', resultId: `${breaths}|${concept}` })),
})

async function feed ({ log, codecs }: Stores, patient: string, event: BedsideEvent): Promise<void> {
  const key = Buffer.from(patient)
  await log.producer().append({ topic: TOPICS.events, partition: partitionFor(key, PARTITIONS) }, [{ key, value: codecs.encode(event) }])
}

/** Vectors as bytes, the rest as what it says. */
async function contents (online: OnlineStore): Promise<unknown> {
  return await Promise.all(TABLES.map(async table => [table, Object.fromEntries((await online.scan(table)).map(({ entity, value }) => [entity, table.includes('@') ? value.toString('hex') : JSON.parse(value.toString()) as unknown]))]))
}

it('gives an empty store what the processors had written, from the log; and leaves what is newer', async () => {
  const [directory, other] = [tempDir(), tempDir()]
  {
    await using closers = new Closers()
    const clock = new ManualClock(START)
    const stores = await openStores(closers.use(openDataDir(directory.path)), { clock, partitions: PARTITIONS, retentionMs: 0, replay: false }, closers)
    const pipeline = await openPipeline(stores, { clock, logger: { debug: quiet, info: quiet, warn: quiet, error: quiet }, sealer: { seal: b => b, open: b => b }, model: '', alerts: {}, driftWindowMs: 60_000, ownsTicks: false }, closers)
    const settle = async (): Promise<void> => { for (let n = 0; n < 6; n++) for (const processor of pipeline.processors) { clock.advance(1); await processor.step(0) } }
    for (const patient of ['anna', 'ben', 'cleo', 'dora']) await feed(stores, patient, stay('admit'))
    for (const patient of ['anna', 'ben', 'cleo']) { await feed(stores, patient, charted(27)); await feed(stores, patient, charted(28)) }
    await settle()
    await feed(stores, 'cleo', stay('discharge'))
    await settle()
    const before = await contents(stores.online)
    expect(JSON.stringify(before)).toContain('news2-emergency')

    await using empty = openEmbeddedOnlineStore(other.path)
    await empty.put([row('news2@1', 'ben', 1, 'newer')])
    const { records, rows } = await rebuildOnline(stores, empty)
    expect([records > rows, rows > 10]).toEqual([true, true])
    expect((await empty.get(['news2@1'], ['ben']))[0]![0]!.value.toString()).toBe('newer')
    await empty.erase('ben')
    await rebuildOnline(stores, empty)
    expect(await contents(empty)).toEqual(before)
  }
  directory.remove()
  other.remove()
})
