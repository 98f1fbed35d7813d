import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { BoardEntity, BoardIndex, BoardQuery } from '../../../features/board/index.ts'
import { entity, entityOf } from './arbitraries.ts'

const ALL: BoardQuery = { sort: 'place', descending: false, offset: 0, limit: 100 }

/** What every index of the board does. `open` makes an empty one. */
export function boardIndexContract (open: () => Promise<BoardIndex>): void {
  let index: BoardIndex
  beforeEach(async () => { index = await open() })
  afterEach(async () => { await index[Symbol.asyncDispose]() })

  const put = async (...entities: readonly BoardEntity[]): Promise<void> => { await index.put(entities, await index.version()) }
  const found = async (query: Partial<BoardQuery> = {}): Promise<readonly string[]> => (await index.search({ ...ALL, ...query })).entities.map(({ patient }) => patient)

  it('hands an entity out as it was put in', async () => {
    const whole = entityOf('p1', { ward: 'Médecine |A', bed: '', ageYears: null, sex: 'unknown', news2: 7, news2Missing: ['news2Pulse', 'news2Spo2'], risk: 0.30000000000000004, alertState: 'latched', alertPriority: 'medium', updatedAt: 1_769_860_800_123 })
    const nothing = entityOf('p2', { ward: '', admitted: false, onBoard: false, news2: null, risk: null, riskModel: '', text: '' })
    await put(whole, nothing)
    expect(await index.search({ ...ALL, descending: true })).toEqual({ total: 2, entities: [whole, nothing], by: index.by, ...(index.why === undefined ? {} : { why: index.why }) })
  })

  it('gives out versions that rise', async () => {
    const versions = [await index.version(), await index.version(), await index.version()]
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b))
  })

  it('never lets an older version win, in whatever order writes and removals come and however often', async () => {
    const step = fc.record({ patient: fc.constantFrom('p1', 'p2'), version: fc.integer({ min: 1, max: 6 }), removal: fc.boolean() })
    let base = 0
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 12 }), async steps => {
      base += 10
      await index.remove(['p1', 'p2'], base - 1)
      const told = new Map<string, { version: number, removal: boolean }>()
      for (const { patient, version, removal } of steps) {
        if (removal) await index.remove([patient], base + version)
        else await index.put([entityOf(patient, { news2: version })], base + version)
        if (version > (told.get(patient)?.version ?? 0)) told.set(patient, { version, removal })
      }
      const kept = [...told].filter(([, { removal }]) => !removal).map(([patient, { version }]) => [patient, version])
      expect((await index.search(ALL)).entities.map(e => [e.patient, e.news2])).toEqual(kept.sort())
    }), { numRuns: 40 })
  })

  it('finds by ward and bed whole, without case and diacritics, and by nothing in particular where there is none', async () => {
    await put(entityOf('p1', { ward: 'ICÚ' }), entityOf('p2', { ward: 'icu 2' }), entityOf('p3', { ward: '' }), entityOf('p4', { ward: 'a|b', bed: '7' }))
    expect(await found({ ward: 'icu' })).toEqual(['p1'])
    expect(await found({ ward: '' })).toEqual(['p3'])
    expect(await found({ ward: 'A' })).toEqual([])
    expect(await found({ ward: 'A|B', bed: '7' })).toEqual(['p4'])
  })

  it('finds by NEWS2, risk and alert, limits included, and never whom it does not know', async () => {
    await put(entityOf('p1', { news2: 5, risk: 0.3, alertState: 'active', alertPriority: 'high' }), entityOf('p2', { news2: 4, risk: 0.29, alertState: 'latched', alertPriority: 'low' }), entityOf('p3', { news2: null, risk: null }))
    expect(await found({ news2Min: 5 })).toEqual(['p1'])
    expect(await found({ news2Min: 0 })).toEqual(['p1', 'p2'])
    expect(await found({ riskMin: 0.3 })).toEqual(['p1'])
    expect(await found({ alertStates: ['active', 'latched'] })).toEqual(['p1', 'p2'])
    expect(await found({ alertStates: [] })).toEqual([])
  })

  it('finds words by their beginning and numbers whole, each that is typed', async () => {
    await put(entityOf('p1', { text: 'ICU 1 NEWS2 emergency' }), entityOf('p2', { text: 'ICU 10' }), entityOf('p3', { text: 'Médecine O\'Brien-2 01' }), entityOf('p4', { text: 'the if of' }))
    expect(await found({ text: 'icu' })).toEqual(['p1', 'p2'])
    expect(await found({ text: 'icu 1' })).toEqual(['p1'])
    expect(await found({ text: '1' })).toEqual(['p1', 'p3'])
    expect(await found({ text: 'EMERG' })).toEqual(['p1'])
    expect(await found({ text: 'obrien 2' })).toEqual(['p3'])
    expect(await found({ text: 'medecine' })).toEqual(['p3'])
    expect(await found({ text: 'the of' })).toEqual(['p4'])
    expect(await found({ text: '  ' })).toHaveLength(4)
  })

  it('takes no ending off a word', async () => {
    await put(entityOf('p1', { text: 'NEWS2 urgent emergencia' }), entityOf('p2', { text: 'bedside beds' }))
    expect(await found({ text: 'emergency' })).toEqual([])
    expect(await found({ text: 'bedsides' })).toEqual([])
    expect(await found({ text: 'bed' })).toEqual(['p2'])
  })

  it('takes every character that is typed as itself: nothing is a query', async () => {
    await put(entityOf('p1', { ward: 'ICU', text: 'ICU O\'Brien-2' }), entityOf('p2', { ward: 'MED', text: 'MED' }))
    expect(await found({ text: 'O\'Brien-2 *()|@{}' })).toEqual(['p1'])
    for (const text of ['*', '@ward:{wmed}', ') | (@ward:{wmed}', '-zzz', 'zzz | med', '%zz%', '"', '\\', '~', '\u0000', '[0 +inf]']) expect(await found({ text }), text).toEqual([])
    expect(await found({ text: '-icu' })).toEqual(['p1'])
    expect(await found({ text: '%me%' })).toEqual(['p2'])
    for (const ward of ['*', 'ICU} | @ward:{wmed', '(', '\\']) expect(await found({ ward }), ward).toEqual([])
  })

  it('orders by place as people count, and what is not known last in either direction', async () => {
    await put(entityOf('p1', { bed: '10', news2: null }), entityOf('p2', { bed: '2', news2: 7 }), entityOf('p3', { bed: '1', news2: 7 }), entityOf('p4', { ward: 'ICU 2', bed: '1', news2: 0 }), entityOf('p5', { ward: '', bed: '', news2: 1 }))
    expect(await found()).toEqual(['p5', 'p3', 'p2', 'p1', 'p4'])
    expect(await found({ descending: true })).toEqual(['p4', 'p1', 'p2', 'p3', 'p5'])
    expect(await found({ sort: 'news2', descending: true })).toEqual(['p3', 'p2', 'p5', 'p4', 'p1'])
    expect(await found({ sort: 'news2' })).toEqual(['p4', 'p5', 'p3', 'p2', 'p1'])
  })

  it('orders by concern: alerts that nobody has acknowledged, then NEWS2, then risk in steps', async () => {
    await put(
      entityOf('p1', { alertState: 'acknowledged', alertPriority: 'high' }), entityOf('p2', { alertState: 'active', alertPriority: 'low' }), entityOf('p3', { alertState: 'active', alertPriority: 'high' }),
      entityOf('p4', { news2: 5 }), entityOf('p5', { news2: 5, risk: 0.9 }), entityOf('p6', { news2: null, risk: null }),
    )
    expect(await found({ sort: 'concern', descending: true })).toEqual(['p3', 'p2', 'p1', 'p5', 'p4', 'p6'])
  })

  it('pages through equals without missing or repeating one, whatever was written last', async () => {
    const patients = Array.from({ length: 23 }, (_, i) => `p${String(i).padStart(2, '0')}`)
    await put(...patients.map(patient => entityOf(patient)).reverse())
    const paged: string[] = []
    for (let offset = 0; offset < patients.length; offset += 5) {
      await put(entityOf(patients[offset]!))
      const { total, entities } = await index.search({ ...ALL, sort: 'risk', descending: true, offset, limit: 5 })
      expect(total).toBe(23)
      paged.push(...entities.map(({ patient }) => patient))
    }
    expect(paged).toEqual(patients)
    expect(await index.search({ ...ALL, offset: 50 })).toMatchObject({ total: 23, entities: [] })
  })

  it('knows whom it has', async () => {
    const last = new Map<string, BoardEntity>()
    await fc.assert(fc.asyncProperty(fc.array(entity, { maxLength: 5 }), fc.boolean(), async (entities, removal) => {
      const distinct = [...new Map(entities.map(one => [one.patient, one])).values()]
      if (removal) await index.remove(distinct.map(({ patient }) => patient), await index.version())
      else await put(...distinct)
      for (const one of distinct) if (removal) last.delete(one.patient); else last.set(one.patient, one)
      expect([...await index.patients()].sort()).toEqual([...last.keys()].sort())
    }), { numRuns: 20 })
  })
}
