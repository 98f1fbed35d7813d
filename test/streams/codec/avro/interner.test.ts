import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KeyInterner, StringInterner } from '../../../../streams/codec/index.ts'

const key = fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 0, max: 60 }).map(n => Buffer.from(`key-${n}`)) }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map(b => Buffer.from(b)) })
const step = fc.record({ kind: fc.constantFrom('intern' as const, 'intern' as const, 'intern' as const, 'release' as const, 'look' as const), key })

/** A key somewhere in a larger buffer. */
function placed (bytes: Buffer): readonly [buffer: Buffer, start: number, end: number] { return [Buffer.concat([Buffer.from('x'), bytes, Buffer.from('y')]), 1, 1 + bytes.length] }

describe('a key interner', () => {
  it('gives what a map and a list of free slots would give', () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 400 }), steps => {
      const interner = new KeyInterner()
      const twin = new Map<string, number>()
      const free: number[] = []
      let slots = 0
      for (const { kind, key } of steps) {
        const name = key.toString('latin1')
        const known = twin.get(name)
        if (kind === 'intern') {
          const slot = known ?? free.pop() ?? slots++
          twin.set(name, slot)
          expect(interner.intern(...placed(key))).toBe(slot)
        } else if (kind === 'release' && known !== undefined) {
          interner.release(known)
          interner.release(known)
          twin.delete(name)
          free.push(known)
        }
        expect(interner.slotOf(...placed(key))).toBe(twin.get(name) ?? -1)
        expect([interner.size, interner.slots]).toEqual([twin.size, slots])
      }
      for (const [name, slot] of twin) expect([interner.bytesOf(slot).toString('latin1'), interner.arena.toString('latin1', interner.startOf(slot), interner.endOf(slot))]).toEqual([name, name])
    }), { numRuns: 300 })
  })

  it('holds many keys, each with a slot of its own', () => {
    const interner = new KeyInterner()
    for (let i = 0; i < 50_000; i++) expect(interner.intern(...placed(Buffer.from(`patient-${i}`)))).toBe(i)
    for (let i = 0; i < 50_000; i += 7) expect(interner.bytesOf(i).toString()).toBe(`patient-${i}`)
  })

  it('does not grow with keys that come and go', () => {
    const interner = new KeyInterner()
    for (let i = 0; i < 1_000; i++) interner.intern(...placed(Buffer.from(`stay-${i}`)))
    const before = interner.bytes
    for (let i = 1_000; i < 60_000; i++) {
      interner.release(interner.slotOf(...placed(Buffer.from(`stay-${i - 1_000}`))))
      interner.intern(...placed(Buffer.from(`stay-${i}`)))
    }
    expect([interner.size, interner.slots]).toEqual([1_000, 1_000])
    expect(interner.bytes).toBeLessThan(before * 2)
  })
})

describe('a string interner', () => {
  it('gives what decoding gives', () => {
    fc.assert(fc.property(fc.array(fc.oneof(fc.string({ unit: 'grapheme', maxLength: 100 }), fc.constantFrom('', 'heartRate', 'spo2')), { maxLength: 60 }), texts => {
      const interner = new StringInterner('utf8', 7)
      for (const text of texts) expect(interner.of(...placed(Buffer.from(text)))).toBe(Buffer.from(text).toString())
      expect(interner.size).toBeLessThanOrEqual(7)
    }))
  })

  it('decodes keys as latin1 where it was told so', () => { expect(new StringInterner('latin1').of(Buffer.from([0xe9]), 0, 1)).toBe('é') })
})
