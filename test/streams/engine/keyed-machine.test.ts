import { expect, it } from 'vitest'
import { KeyedMachine, PoisonError, type Emitted } from '../../../streams/engine/index.ts'
import { toyMachine, type ToyOut } from './toy.ts'

function started (poison?: ReadonlySet<string>): { readonly machine: KeyedMachine<never, string, ToyOut>, readonly out: string[], say (e: Emitted<ToyOut>): void } {
  const out: string[] = []
  return { machine: new KeyedMachine(toyMachine, poison) as KeyedMachine<never, string, ToyOut>, out, say: e => { out.push(`${e.offset}.${e.index} ${e.key} ${e.out}`) } }
}

it('keeps the running maximum of arrival as its clock', () => {
  const { machine, out, say } = started()
  machine.record(0, 1_000, 'a', '1', say)
  machine.record(1, 400, 'a', '2', say)
  expect(machine.clock).toBe(1_000)
  expect(out).toEqual(['0.0 a sum 1 of 1 at 1000', '1.0 a sum 3 of 2 at 1000'])
})

it('fires what is due before the record that moves the clock, and numbers the outputs of one record', () => {
  const { machine, out, say } = started()
  machine.record(0, 1_000, 'a', '1', say)
  machine.record(1, 1_000, 'b', '1', say)
  machine.record(2, 1_030, 'a', '1', say)
  expect(out.slice(2)).toEqual(['2.0 a beat 1 at 1025', '2.1 b beat 1 at 1025', '2.2 a sum 2 of 2 at 1030'])
})

it('says with each output how far it goes: to its record, or to before the record that moved the clock', () => {
  const { machine } = started()
  const through: string[] = []
  const say = (e: Emitted<ToyOut>): void => { through.push(`${e.offset} ${e.out.split(' ')[0]} ${e.through}`) }
  machine.record(0, 1_000, 'a', '1', say)
  machine.record(7, 1_030, 'a', '1', say)
  machine.tick(9, 1_060, say)
  expect(through).toEqual(['0 sum 1', '7 beat 7', '7 sum 8', expect.stringMatching(/^9 beat 9$/) as string])
})

it('gives rows that were dirty longest first, and a marker behind which every row is stored', () => {
  const { machine, say } = started()
  machine.record(0, 1_000, 'a', '1', say)
  machine.record(1, 1_001, 'b', '1', say)
  machine.record(2, 1_002, 'c', '1', say)
  machine.record(3, 1_003, 'a', '1', say)
  const first = machine.snapshot(4, 1)
  expect(first.rows.map(r => [r.key, r.stamp, r.clock])).toEqual([['a', 4, 1_003]])
  expect(first.marker).toEqual({ offset: 1, clock: 1_000 })
  const rest = machine.snapshot(4, 10)
  expect(rest.rows.map(r => r.key)).toEqual(['b', 'c'])
  expect(rest.marker).toEqual({ offset: 4, clock: 1_003 })
  expect(machine.dirtyKeys).toBe(0)
  expect(machine.snapshot(5, 10)).toEqual({ rows: [], marker: { offset: 5, clock: 1_003 } })
})

it('passes over records that a restored row has seen', () => {
  const { machine, say } = started()
  machine.record(0, 1_000, 'a', '1', say)
  machine.record(1, 1_001, 'b', '5', say)
  machine.record(2, 1_002, 'a', '1', say)
  const { rows, marker } = machine.snapshot(3, 1)
  const again = started()
  again.machine.restore(rows, marker)
  again.machine.record(1, 1_001, 'b', '5', again.say)
  again.machine.record(2, 1_002, 'a', '1', again.say)
  again.machine.record(3, 1_003, 'a', '1', again.say)
  expect(again.out).toEqual(['1.0 b sum 5 of 1 at 1001', '3.0 a sum 3 of 3 at 1003'])
})

it('names the poisonous record, and passes over it when told so', () => {
  const { machine, say } = started()
  machine.record(0, 1_000, 'a', '1', say)
  const thrown = ((): unknown => { try { machine.record(1, 1_001, 'a', 'boom', say); return undefined } catch (e) { return e } })()
  expect(thrown).toBeInstanceOf(PoisonError)
  const { poison, key, offset } = thrown as PoisonError
  expect([poison, key, offset]).toEqual(['record 1', 'a', 1])
  const again = started(new Set([poison]))
  expect(again.machine.record(0, 1_000, 'a', '1', again.say)).toBe(true)
  expect(again.machine.record(1, 1_041, 'a', 'boom', again.say)).toBe(false)
  expect(again.out).toEqual(['0.0 a sum 1 of 1 at 1000', '1.0 a beat 1 at 1025', '1.1 a closed 1 at 1040'])
})

it('is stopped by a machine whose due time does not rise with a tick', () => {
  const stuck = new KeyedMachine({ ...toyMachine, name: 'stuck', nextDue: () => 1_000 })
  stuck.record(0, 900, 'a', '1', () => {})
  expect(() => { stuck.tick(1, 1_000, () => {}) }).toThrow('stuck: nextDue must rise')
})
