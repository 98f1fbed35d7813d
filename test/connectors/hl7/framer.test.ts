import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { frame, Framer, type Framed } from '../../../connectors/hl7/framer.ts'

interface Run { readonly frames: string[], readonly counts: Record<string, number>, readonly open: boolean }

function run (chunks: readonly Buffer[], frameBytesMax = 1000): Run {
  const counts: Record<string, number> = {}
  const framer = new Framer({ frameBytesMax, count: (what, n) => { counts[what] = (counts[what] ?? 0) + n } })
  const frames = chunks.flatMap(chunk => framer.push(chunk)).map(show)
  return { frames, counts, open: framer.open }
}
const show = (one: Framed): string => one.kind === 'frame' ? one.payload.toString('latin1') : `too-large:${one.head.toString('latin1')}`
const bytes = (text: string): Buffer => Buffer.from(text.replaceAll('<', '\x0b').replaceAll('>', '\x1c').replaceAll('.', '\r'), 'latin1')

describe('the MLLP framer', () => {
  it('takes several frames of one chunk', () => {
    expect(run([bytes('<one>.<two>.')])).toEqual({ frames: ['one', 'two'], counts: {}, open: false })
  })
  it('takes a frame whose FS and CR come in different chunks, once, at its FS', () => {
    expect(run([bytes('<one>')]).frames).toEqual(['one'])
    expect(run([bytes('<one>'), bytes('.<two>'), bytes('.')])).toEqual({ frames: ['one', 'two'], counts: {}, open: false })
  })
  it('does without the CR, and counts that', () => {
    expect(run([bytes('<one><two>.')])).toEqual({ frames: ['one', 'two'], counts: { 'missing-cr': 1 }, open: false })
  })
  it('skips and counts what stands between frames', () => {
    expect(run([bytes('junk<one>..\n>x<two>.')])).toEqual({ frames: ['one', 'two'], counts: { 'junk-bytes': 8 }, open: false })
  })
  it('drops a partial frame when the peer starts anew', () => {
    expect(run([bytes('<par'), bytes('tial<one>.')])).toEqual({ frames: ['one'], counts: { 'partial-frames': 1 }, open: false })
  })
  it('gives up a frame over the limit once, and goes on after it', () => {
    expect(run([bytes('<123456>.<12345>.')], 5)).toEqual({ frames: ['too-large:12345', '12345'], counts: {}, open: false })
  })
  it('says that a frame is open', () => {
    expect(run([bytes('<one')]).open).toBe(true)
    expect(run([bytes('<123456')], 5).open).toBe(true)
  })
  it('keeps no part of a chunk that the caller may overwrite', () => {
    const chunk = bytes('<one>.')
    const [first] = new Framer({ frameBytesMax: 100 }).push(chunk)
    chunk.fill(0)
    expect(first).toEqual({ kind: 'frame', payload: Buffer.from('one') })
  })

  it('gives the same frames and counts for any chunking of the same bytes', () => {
    const piece = fc.constantFrom('<', '>', '.', '\n', 'a', 'bcd', '<ok>.', '<123456789012>.')
    fc.assert(fc.property(fc.array(piece, { maxLength: 30 }), fc.array(fc.nat(6), { maxLength: 60 }), (pieces, cuts) => {
      const all = bytes(pieces.join(''))
      const chunks: Buffer[] = []
      let at = 0
      for (const cut of cuts) { chunks.push(all.subarray(at, at + cut)); at += cut }
      chunks.push(all.subarray(at))
      expect(run(chunks, 8)).toEqual(run([all], 8))
      expect(run([...all].map(b => Buffer.of(b)), 8)).toEqual(run([all], 8))
    }), { numRuns: 500 })
  })
  it('gives back exactly the payloads that were framed', () => {
    const payload = fc.uint8Array({ minLength: 0, maxLength: 50 }).map(a => Buffer.from(a.filter(b => b !== 0x0b && b !== 0x1c)))
    fc.assert(fc.property(fc.array(payload, { maxLength: 8 }), payloads => {
      expect(run([Buffer.concat(payloads.map(frame))])).toEqual({ frames: payloads.map(p => p.toString('latin1')), counts: {}, open: false })
    }))
  })
})
