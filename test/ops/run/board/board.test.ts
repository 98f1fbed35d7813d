import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ALERT_RULES } from '../../../../inference/alerts/index.ts'
import { wordsOf, type BoardEntity } from '../../../../features/board/index.ts'
import { news2View } from '../../../../features/views/index.ts'
import { DICTIONARIES } from '../../../../dashboards/web/src/i18n/translate.ts'
import { Board, watchedStore } from '../../../../ops/run/board/board.ts'
import { entityOf, RULE_WORDS } from '../../../../ops/run/board/board-entity.ts'
import { BoardProjector } from '../../../../ops/run/board/board-projector.ts'
import { readBoardRows, scanPatients, summaryOf } from '../../../../ops/run/board/board-rows.ts'
import type { OnlineRow, OnlineStore } from '../../../../features/online/index.ts'
import { ManualClock } from '../../../../streams/time/index.ts'
import { until } from '../../../kit/servers/index.ts'
import { alertsRow, ALL, encounterRow, MemoryOnline, news2Row, TestIndex, vitalsRow } from './board-kit.ts'

const START = Date.UTC(2030, 0, 7)
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
let clock: ManualClock, store: MemoryOnline, index: TestIndex
let running: { readonly board: Board, readonly projector: BoardProjector, readonly online: OnlineStore } | undefined
beforeEach(() => { clock = new ManualClock(START); store = new MemoryOnline(); index = new TestIndex(); running = undefined })
afterEach(async () => { await running?.projector[Symbol.asyncDispose]() })

async function start (rescan: { readonly rescanMs?: number } = {}): Promise<NonNullable<typeof running>> {
  await running?.projector[Symbol.asyncDispose]()
  const board = new Board({ online: store, index, clock, ...rescan })
  const projector = await BoardProjector.start({ board, index, clock, logger: silent })
  return running = { board, projector, online: watchedStore(store, patients => { board.changed(patients); projector.changed(patients) }) }
}
const indexed = async (): Promise<readonly BoardEntity[]> => (await index.inner.search(ALL)).entities
const found = async (): Promise<readonly string[]> => (await indexed()).map(({ patient, ward, bed }) => `${patient} ${ward} ${bed}`)
const shown = (what: readonly string[]): Promise<void> => until('the index', 60_000, async () => (await found()).join() === what.join())

/** What the index should hold: every patient of the store, made anew. */
async function twin (): Promise<readonly BoardEntity[]> {
  const rows = await readBoardRows(store, [...await scanPatients(store)])
  return rows.flatMap(row => row === undefined ? [] : [entityOf(summaryOf(row, clock.now()), row.updatedAt)])
}

it('indexes at the start what the store has, and takes out who is no more', async () => {
  await store.put([encounterRow('p1', 1, 'ICU', '2'), alertsRow('p1', 1, 'active')])
  await index.inner.put([{ ...(await twin())[0]!, patient: 'ghost' }, { ...(await twin())[0]!, bed: 'old' }], await index.version())
  await start()
  expect(await indexed()).toEqual([expect.objectContaining({ patient: 'p1', ward: 'ICU', bed: '2', alertState: 'active', alertPriority: 'high', text: `ICU 2 ${RULE_WORDS['news2-emergency']}` })])
})

it('reads whoever has changed, and nobody else', async () => {
  await store.put(Array.from({ length: 50 }, (_, i) => encounterRow(`p${10 + i}`, 1, 'ICU', String(10 + i))))
  const { board, online } = await start()
  await board.patients()
  const before = { read: store.entitiesRead, scans: store.scans }
  await online.put([encounterRow('p11', 2, 'MED', '1')])
  expect((await board.patients()).find(({ patient }) => patient === 'p11')?.ward).toBe('MED')
  await board.patients()
  expect({ read: store.entitiesRead - before.read, scans: store.scans - before.scans }).toEqual({ read: 1, scans: 0 })
})

it('reads again whom it could not read', async () => {
  const { board, online } = await start()
  await online.put([encounterRow('p1', 1, 'ICU', '1')])
  store.failing = true
  await expect(board.patients()).rejects.toMatchObject({ code: 'ONLINE_UNAVAILABLE' })
  store.failing = false
  expect((await board.patients()).map(({ bed }) => bed)).toEqual(['1'])
})

it('writes a patient at once, and then at most each second', async () => {
  const { online } = await start()
  for (let version = 1; version <= 21; version++) {
    await online.put([encounterRow('p1', version, 'ICU', String(version))])
    clock.advance(250)
    await new Promise(setImmediate)
  }
  await until('the last bed', 60_000, async () => { clock.advance(250); return (await found())[0] === 'p1 ICU 21' })
  expect(index.puts[0]).toEqual({ patients: ['p1'] })
  expect(index.puts.length).toBeGreaterThanOrEqual(3)
  expect(index.puts.length).toBeLessThanOrEqual(8)
})

it('finds in memory at once what was written before', async () => {
  const { online, projector } = await start()
  for (let version = 1; version <= 3; version++) {
    await online.put([encounterRow('p1', version, 'ICU', String(version))])
    expect((await projector.search({ ...ALL, bed: String(version) })).patients.map(({ bed }) => bed)).toEqual([String(version)])
  }
})

it('takes out of the index whose rows were erased', async () => {
  const { online, board } = await start()
  await online.put([encounterRow('p1', 1, 'ICU', '1'), encounterRow('p2', 1, 'ICU', '2')])
  clock.advance(250)
  await shown(['p1 ICU 1', 'p2 ICU 2'])
  await online.erase('p1')
  clock.advance(1_250)
  await shown(['p2 ICU 2'])
  expect(await board.patients()).toHaveLength(1)
})

it('takes up, in time, what others wrote and what expired without a word', async () => {
  await store.put([encounterRow('p1', 1, 'ICU', '1')])
  await start({ rescanMs: 5_000 })
  await store.erase('p1')
  await store.put([encounterRow('p2', 1, 'ICU', '2')])
  clock.advance(61_000)
  await until('the other', 60_000, async () => { clock.advance(1_250); return (await found()).join() === 'p2 ICU 2' })
  await store.put([encounterRow('p2', 2, 'MED', '2')])
  clock.advance(5_000)
  expect((await running!.board.patients()).map(({ ward }) => ward)).toEqual(['MED'])
})

it('lets NEWS2 and a place on the board lapse with time, though nothing is written any more', async () => {
  const { online } = await start()
  await online.put([news2Row('p1', 1, START, 8), vitalsRow('p1', 1, START, 90), encounterRow('p1', 1, 'ICU', '1', 'discharge')])
  clock.advance(250)
  await shown(['p1 ICU 1'])
  expect(await indexed()).toEqual([expect.objectContaining({ news2: 8, onBoard: true, admitted: false })])
  clock.advance(news2View.ttlMs + 10_000)
  await until('the score to lapse', 60_000, async () => { clock.advance(250); return (await indexed())[0]?.news2 === null })
  expect(await indexed()).toEqual([expect.objectContaining({ news2: null, onBoard: false })])
})

it('goes on while the index is away, and is right when it is back, even if that comes back empty', async () => {
  const { online, board } = await start()
  await online.put([encounterRow('p1', 1, 'ICU', '1')])
  clock.advance(250)
  await shown(['p1 ICU 1'])
  index.away = true
  await online.put([encounterRow('p2', 1, 'ICU', '2')])
  clock.advance(2_000)
  expect((await board.patients()).map(({ bed }) => bed)).toEqual(['1', '2'])
  await expect(board.search(ALL)).rejects.toMatchObject({ code: 'ONLINE_UNAVAILABLE' })
  index.inner = new TestIndex().inner
  index.away = false
  await until('both', 60_000, async () => { clock.advance(250); return (await found()).join() === 'p1 ICU 1,p2 ICU 2' })
})

it('is as the store is after any writes, erasures, failures and crashes', async () => {
  const patient = fc.constantFrom('p1', 'p2', 'p3')
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), patient, table: fc.constantFrom('encounter', 'alerts', 'news2', 'vitals', 'taken out'), value: fc.nat(3) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.constantFrom(100, 250, 1_000, 5_000, 61_000, news2View.ttlMs) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('erase' as const), patient }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('away' as const, 'back' as const, 'emptied' as const, 'crash' as const) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('pause' as const) }) },
  )
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 25 }), async steps => {
    clock = new ManualClock(START)
    store = new MemoryOnline()
    index = new TestIndex()
    let now = await start()
    let version = 0
    for (const one of steps) {
      version++
      switch (one.kind) {
        case 'put': await now.online.put([rowOf(one.patient, one.table, one.value, version)]); break
        case 'erase': await now.online.erase(one.patient); break
        case 'time': clock.advance(one.ms); break
        case 'pause': await new Promise(setImmediate); break
        case 'away': index.away = true; break
        case 'back': index.away = false; break
        case 'emptied': index.inner = new TestIndex().inner; break
        case 'crash': { // what was told to the dead process is lost
          index.away = false
          now = await start()
          break
        }
      }
    }
    index.away = false
    const sorted = (entities: readonly BoardEntity[]): readonly BoardEntity[] => [...entities].sort((a, b) => a.patient < b.patient ? -1 : 1)
    for (let round = 0; round < 5 && JSON.stringify(sorted(await indexed())) !== JSON.stringify(sorted(await twin())); round++) {
      clock.advance(61_000)
      for (let i = 0; i < 40; i++) await Promise.resolve()
      await new Promise(setImmediate)
    }
    expect(sorted(await indexed())).toEqual(sorted(await twin()))
    const cards = await now.board.patients()
    expect(cards.map(({ patient: p }) => p).sort()).toEqual(sorted(await twin()).map(({ patient: p }) => p))
  }), { numRuns: 150 })
})

function rowOf (patient: string, table: string, value: number, version: number): OnlineRow {
  switch (table) {
    case 'alerts': return alertsRow(patient, version, [undefined, 'active', 'latched', 'acknowledged'][value])
    case 'news2': return news2Row(patient, version, clock.now(), value)
    case 'vitals': return vitalsRow(patient, version, clock.now(), 60 + value)
    case 'taken out': return { ...encounterRow(patient, version, '', ''), value: null }
    default: return encounterRow(patient, version, 'ICU', String(value), value === 0 ? 'discharge' : 'admit')
  }
}

it('finds a rule by every word that the pages have for it', () => {
  for (const rule of ALERT_RULES) {
    const words = wordsOf(RULE_WORDS[rule])
    for (const dictionary of Object.values(DICTIONARIES)) expect(words).toEqual(expect.arrayContaining([...wordsOf(dictionary[`rule.${rule}`])]))
  }
})
