import fc from 'fast-check'
import { expect, it } from 'vitest'
import { BED_HISTORY_MS, Beds } from '../../../connectors/kit/beds.ts'
import type { InboundEncounter } from '../../../connectors/kit/index.ts'
import type { EncounterAction, EncounterEvent } from '../../../streams/events/index.ts'
import { openLmdb, type Lmdb } from '../../../streams/lmdb/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { sealer } from './house.ts'

const HOUR = 3_600_000
const event = (action: EncounterAction, at: number, bed = '', ward = 'W'): EncounterEvent => ({ type: 'encounter', action, eventTime: at, source: 'hl7:adt', ward, bed, ageYears: -1, sex: 'unknown', hoursSinceHospitalAdmission: -1 })

interface Store { beds: Beds, conflicts: number, restart (): Promise<void> }

async function withBeds (run: (store: Store) => Promise<void> | void): Promise<void> {
  const directory = tempDir()
  let root: Lmdb = openLmdb(directory.path, 'beds')
  const store: Store = {
    conflicts: 0,
    beds: undefined as unknown as Beds,
    restart: async () => { await root.flushed; await root.close(); root = openLmdb(directory.path, 'beds'); open() },
  }
  const open = (): void => { store.beds = new Beds(root, sealer, () => { store.conflicts++ }) }
  open()
  try { await run(store) } finally { await root.flushed; await root.close(); directory.remove() }
}

it('says who lay in a bed at a moment, whatever has happened since, also after a restart', async () => {
  await withBeds(async store => {
    const { beds } = store
    beds.apply('anna', event('admit', 10, '1'))
    beds.apply('anna', event('transfer', 20, '2'))
    beds.apply('ben', event('admit', 25, '1'))
    beds.apply('anna', event('discharge', 30))
    for (const turn of ['before', 'after a restart']) {
      expect([9, 10, 19, 20, 24, 25].map(at => store.beds.patientIn('W', '1', at)), turn).toEqual([undefined, 'anna', 'anna', undefined, undefined, 'ben'])
      expect([19, 20, 29, 30].map(at => store.beds.patientIn('W', '2', at)), turn).toEqual([undefined, 'anna', 'anna', undefined])
      await store.restart()
    }
  })
})

it('puts a transfer that comes late where it belongs in time', async () => {
  await withBeds(({ beds }) => {
    beds.apply('anna', event('admit', 10, '1'))
    beds.apply('anna', event('transfer', 30, '3'))
    beds.apply('anna', event('transfer', 20, '2'))
    expect([15, 25, 35].map(at => ['1', '2', '3'].find(bed => beds.patientIn('W', bed, at) === 'anna'))).toEqual(['1', '2', '3'])
  })
})

it('forgets what is cancelled at its own time: A11 an admission, A12 a transfer, A13 a discharge', async () => {
  await withBeds(({ beds }) => {
    beds.apply('quinn', event('admit', 5, '1'))
    beds.apply('anna', event('admit', 10, '1'))
    beds.apply('anna', event('discharge', 10)) // A11
    expect(beds.patientIn('W', '1', 12)).toBe('quinn')
    beds.apply('ben', event('admit', 10, '2'))
    beds.apply('ben', event('transfer', 20, '3'))
    beds.apply('ben', event('transfer', 20, '2')) // A12
    expect([beds.patientIn('W', '2', 25), beds.patientIn('W', '3', 25)]).toEqual(['ben', undefined])
    beds.apply('ben', event('discharge', 30))
    beds.apply('ben', event('admit', 30, '2')) // A13
    expect(beds.patientIn('W', '2', 35)).toBe('ben')
  })
})

it('gives a bed to the newest admission and counts it; whoever was displaced does not come back when that one leaves', async () => {
  await withBeds(store => {
    store.beds.apply('anna', event('admit', 10, '1'))
    store.beds.apply('ben', event('admit', 20, '1'))
    store.beds.apply('ben', event('discharge', 30))
    expect([15, 25, 35].map(at => store.beds.patientIn('W', '1', at))).toEqual(['anna', 'ben', undefined])
    expect(store.conflicts).toBe(1)
  })
})

it('does not bring a discharged patient back by an update', async () => {
  await withBeds(({ beds }) => {
    beds.apply('anna', event('admit', 10, '1'))
    beds.apply('anna', event('discharge', 20))
    beds.apply('anna', event('update', 30, '1'))
    expect(beds.patientIn('W', '1', 40)).toBeUndefined()
    beds.apply('ben', event('update', 30, '1'))
    expect(beds.patientIn('W', '1', 40)).toBe('ben')
  })
})

it('follows a merge: the past of the loser is the survivor\'s, and the survivor stays where it lies', async () => {
  await withBeds(async store => {
    store.beds.apply('loser', event('admit', 10, '1'))
    store.beds.apply('survivor', event('admit', 12, '2'))
    store.beds.merge('loser', 'survivor', 20)
    store.beds.apply('other', event('admit', 11, '5'))
    store.beds.merge('other', 'nobody-yet', 20)
    await store.restart()
    const { beds } = store
    expect([15, 25].map(at => beds.patientIn('W', '1', at))).toEqual(['survivor', undefined])
    expect(beds.patientIn('W', '2', 25)).toBe('survivor')
    expect([15, 25].map(at => beds.patientIn('W', '5', at))).toEqual(['nobody-yet', 'nobody-yet'])
    beds.apply('other', event('transfer', 30, '6'))
    expect([beds.patientIn('W', '5', 35), beds.patientIn('W', '6', 35)]).toEqual([undefined, 'nobody-yet'])
  })
})

it('answers nobody for what is older than the history, and still knows who has lain there all the time', async () => {
  await withBeds(({ beds }) => {
    beds.apply('anna', event('admit', 0, '1'))
    beds.apply('ben', event('admit', 0, '2'))
    beds.apply('ben', event('transfer', HOUR, '3'))
    const now = 10 * BED_HISTORY_MS
    beds.apply('cleo', event('admit', now, '4'))
    expect(beds.patientIn('W', '1', now - BED_HISTORY_MS - 1)).toBeUndefined()
    expect([beds.patientIn('W', '1', now - BED_HISTORY_MS), beds.patientIn('W', '3', now)]).toEqual(['anna', 'ben'])
  })
})

const moveOf = (visit: string, to: string, at: number): InboundEncounter => ({ ...event('update', at, '', ''), visit, move: { to: { id: to } } })
const visiting = (visit: string, one: EncounterEvent): InboundEncounter => ({ ...one, visit })

it('follows a moved visit: the other lay there since its admission and lies there now, and whoever lies elsewhere by now does as well, also after a restart', async () => {
  await withBeds(async store => {
    store.beds.apply('wrong', visiting('U', event('admit', 5, '9')))
    store.beds.apply('wrong', visiting('V', event('admit', 10, '1')))
    store.beds.apply('wrong', event('transfer', 20, '2'))
    store.beds.apply('right', event('admit', 15, '7'))
    store.beds.apply('wrong', moveOf('V', 'right', 30))
    for (const turn of ['before', 'after a restart']) {
      expect([9, 10, 14, 15].map(at => store.beds.patientIn('W', '1', at)), turn).toEqual([undefined, 'right', 'right', undefined]) // since 15 it was said to lie elsewhere
      expect([20, 29, 30].map(at => store.beds.patientIn('W', '2', at)), turn).toEqual(['right', 'right', 'right'])
      expect([15, 19, 30].map(at => store.beds.patientIn('W', '7', at)), turn).toEqual(['right', 'right', undefined])
      expect([5, 10, 40].map(at => store.beds.patientIn('W', '9', at)), turn).toEqual(['wrong', 'wrong', 'wrong'])
      await store.restart()
    }
    store.beds.apply('right', visiting('V', event('discharge', 50)))
    expect([store.beds.patientIn('W', '2', 55), store.beds.patientIn('W', '9', 55)]).toEqual([undefined, 'wrong'])
  })
})

it('changes nothing for a visit that nobody has, one that has moved before, and a move to the same patient', async () => {
  await withBeds(({ beds }) => {
    beds.apply('wrong', visiting('V', event('admit', 10, '1')))
    for (const [visit, to] of [['unknown', 'right'], ['V', 'wrong'], ['V', 'right'], ['V', 'third']] as const) beds.apply('wrong', moveOf(visit, to, 20))
    expect(beds.patientIn('W', '1', 25)).toBe('right')
    beds.apply('right', moveOf('V', 'wrong', 30)) // and back
    expect([15, 35].map(at => beds.patientIn('W', '1', at))).toEqual(['wrong', 'wrong'])
  })
})

it('moves a visit that is over without putting anybody to bed', async () => {
  await withBeds(({ beds }) => {
    beds.apply('wrong', visiting('V', event('admit', 10, '1')))
    beds.apply('wrong', event('discharge', 20))
    beds.apply('wrong', visiting('W', event('admit', 25, '3')))
    beds.apply('right', event('admit', 5, '7'))
    beds.apply('wrong', moveOf('V', 'right', 30))
    expect([beds.patientIn('W', '1', 15), beds.patientIn('W', '1', 35), beds.patientIn('W', '3', 35)]).toEqual(['right', undefined, 'wrong'])
  })
})

interface Said { readonly patient: string, readonly at: number, readonly seq: number, readonly bed: string, readonly visit: string }

/** The same by looking through everything that was said. */
class NaiveBeds {
  #said: readonly Said[] = []
  patientIn (bed: string, at: number): string | undefined {
    const stays = this.#said.filter(said => said.bed === bed && said.at <= at).map(said => ({ ...said, end: this.#next(said) })).filter(({ at: start, end }) => end > start)
    const last = stays.sort((a, b) => a.at - b.at || a.seq - b.seq).at(-1)
    return last !== undefined && at < last.end ? last.patient : undefined
  }

  apply (patient: string, { action, eventTime: at, bed, visit }: EncounterEvent): void {
    if (action === 'update') {
      const before = this.#said.filter(said => said.patient === patient && said.at <= at).sort((a, b) => a.at - b.at || a.seq - b.seq).at(-1)
      if (this.patientIn(bed, at) !== undefined || before?.bed === '') return
    }
    const before = this.#of(patient).filter(said => said.at <= at).at(-1)
    this.#say({ patient, at, seq: this.#said.length, bed: action === 'discharge' ? '' : bed, visit: visit ?? (action === 'admit' ? '' : before?.visit ?? '') })
  }

  /** What was said of the visit was said of the other. */
  move (from: string, to: string, visit: string, at: number): void {
    if (from === to || !this.#said.some(said => said.patient === from && said.visit === visit)) return
    const now = this.#of(from).at(-1)
    this.#said = this.#said.map(said => said.patient === from && said.visit === visit ? { ...said, patient: to } : said)
    const last = this.#of(to).at(-1)
    if (now?.visit === visit && now.bed !== '' && last?.bed !== now.bed) this.#say({ patient: to, at: Math.max(at, last?.at ?? 0), seq: this.#said.length, bed: now.bed, visit })
  }

  #say (said: Said): void { this.#said = [...this.#said, said] }

  #of (patient: string): readonly Said[] { return this.#said.filter(said => said.patient === patient).toSorted((a, b) => a.at - b.at || a.seq - b.seq) }

  #next ({ patient, at, seq }: Said): number { return Math.min(...this.#said.filter(other => other.patient === patient && (other.at > at || (other.at === at && other.seq > seq))).map(other => other.at), 1e9) }
}

it('says the same as a naive twin, for any movements and moved visits in any order, with restarts between', async () => {
  const movement = fc.record({ patient: fc.constantFrom('a', 'b', 'c', 'd'), action: fc.constantFrom<EncounterAction>('admit', 'transfer', 'discharge', 'update'), at: fc.integer({ min: 0, max: 8 }), bed: fc.constantFrom('1', '2', '3'), visit: fc.constantFrom(undefined, 'V', 'W'), to: fc.constantFrom(undefined, undefined, undefined, 'a', 'b', 'c'), restart: fc.integer({ min: 0, max: 9 }) })
  await fc.assert(fc.asyncProperty(fc.array(movement, { maxLength: 24 }), async movements => {
    await withBeds(async store => {
      const naive = new NaiveBeds()
      for (const { patient, action, at, bed, visit, to, restart } of movements) {
        if (restart === 0) await store.restart()
        if (to !== undefined && visit !== undefined) {
          store.beds.apply(patient, moveOf(visit, to, at))
          naive.move(patient, to, visit, at)
        } else for (const one of [store.beds, naive]) one.apply(patient, { ...event(action, at, bed), ...visit === undefined ? {} : { visit } })
        for (const where of ['1', '2', '3']) for (let t = 0; t <= 9; t++) expect(store.beds.patientIn('W', where, t), `bed ${where} at ${t}`).toBe(naive.patientIn(where, t))
      }
    })
  }), { numRuns: 120 })
}, 60_000)
