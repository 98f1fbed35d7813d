import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readHeader } from '../../../connectors/hl7/header.ts'
import { HL7_LIMITS } from '../../../connectors/hl7/limits.ts'
import { parseMessage, type Message, type Parsed } from '../../../connectors/hl7/message.ts'
import type { Segment } from '../../../connectors/hl7/segment.ts'
import { hl7 } from './support.ts'

function parse (raw: Buffer, limits = HL7_LIMITS): Parsed {
  const header = readHeader(raw)
  if (header === undefined) throw new Error('no header')
  return parseMessage(raw, header, limits)
}
function message (raw: Buffer): Message {
  const parsed = parse(raw)
  if (parsed.kind !== 'ok') throw new Error(`${parsed.kind}: ${parsed.detail}`)
  return parsed.message
}
const first = (m: Message, name: string): Segment => m.segments.find(s => s.name === name) ?? (() => { throw new Error(`no ${name}`) })()
const MSH = 'MSH|^~\\&|A|B|C|D|20260314||ORU^R01|1|P|2.5.1'

describe('the parser', () => {
  it('reads components, repetitions and subcomponents', () => {
    const pid = first(message(hl7(MSH, 'PID|||11^^^X&Y^MR~22||Fam&Own^Giv')), 'PID')
    expect([pid.text(3), pid.text(3, 5), pid.text(3, 4), pid.text(3, 1, 1), pid.repetitions(3), pid.text(5), pid.text(5, 2), pid.text(99), pid.text(3, 1, 7), pid.repetitions(2)]).toEqual(['11', 'MR', 'X', '22', 2, 'Fam', 'Giv', '', '', 0])
  })
  it('reads mixed line ends without swallowing a segment', () => {
    const m = message(Buffer.from(`${MSH}\r\nPID|||5\rPV1||I|W\nOBX|1|NM\r\n\r\n`))
    expect(m.segments.map(s => s.name)).toEqual(['MSH', 'PID', 'PV1', 'OBX'])
    expect(first(m, 'PID').text(3)).toBe('5')
  })
  it('reads a message of one segment, and one without a last line end', () => {
    expect(message(Buffer.from(MSH)).segments).toHaveLength(1)
    expect(first(message(Buffer.from(`${MSH}\rPID|||5`)), 'PID').text(3)).toBe('5')
  })
  it('keeps the order of segments across types', () => {
    const m = message(hl7(MSH, 'PID|1', 'OBR|1', 'OBX|1', 'NTE|1', 'OBR|2', 'OBX|2'))
    expect(m.segments.map(s => `${s.name}${s.text(1)}`).slice(1)).toEqual(['PID1', 'OBR1', 'OBX1', 'NTE1', 'OBR2', 'OBX2'])
    expect(m.segments.map(s => s.number)).toEqual([1, 2, 3, 4, 5, 6, 7])
  })
  it('decodes escapes after the split, and leaves text that is none', () => {
    const obx = first(message(hl7(MSH, 'OBX|1|ST|a\\T\\b^c||x\\F\\y\\S\\z\\R\\w\\E\\v\\.br\\u\\X4142\\ C:\\dir\\F\\|10\\S\\3/uL')), 'OBX')
    expect(obx.text(3)).toBe('a&b')
    expect(obx.raw(5)).toBe('x|y^z~w\\v\nuAB C:\\dir|')
    expect(obx.text(6)).toBe('10^3/uL')
  })
  it('gives text fields raw, with what looks like structure', () => {
    const obx = first(message(hl7(MSH, 'OBX|1|TX|n||Johnson & Johnson ~ stent ^ AT&T')), 'OBX')
    expect(obx.raw(5)).toBe('Johnson & Johnson ~ stent ^ AT&T')
  })
  it('translates foreign delimiters without turning text into structure', () => {
    const m = message(Buffer.from('MSH$%*?@$A$B$C$D$20260314$$ORU%R01$7$P$2.5.1\rPID$$$11%%%X@Y%MR*22$$a|b^c&d~e\\f%?S?g\r'))
    const pid = first(m, 'PID')
    expect([m.msh.text(9, 2), m.msh.text(10), pid.text(3), pid.text(3, 4), pid.text(3, 1, 1), pid.text(5), pid.text(5, 2)]).toEqual(['R01', '7', '11', 'X', '22', 'a|b^c&d~e\\f', '%g'])
  })
  it('reads five encoding characters, and fewer than four', () => {
    expect(first(message(Buffer.from('MSH|^~\\&#|A|B|C|D|||ORU^R01|1\rPID|||5^^^X&Y\r')), 'PID').text(3, 4)).toBe('X')
    expect(first(message(Buffer.from('MSH|^~|A|B|C|D|||ORU^R01|1\rPID|||5^a\\b&c\r')), 'PID').text(3, 2)).toBe('a\\b&c')
  })
  it('refuses delimiters that cannot be told apart', () => {
    for (const bad of ['MSH|^^\\&|A', 'MSH|||||', 'MSHabcde', 'MSH', 'MSH|', 'PID|1', '', 'msh|^~\\&|A']) expect(readHeader(Buffer.from(bad))).toBeUndefined()
  })
  it('leaves lines without a segment name out, and says which', () => {
    const m = message(hl7(MSH, 'PID|||5', '// a comment', 'obx|1|NM', 'OBX|1|NM'))
    expect(m.segments.map(s => s.name)).toEqual(['MSH', 'PID', 'OBX'])
    expect(m.oddLines).toEqual([3, 4])
  })
  it('refuses two messages in one frame', () => {
    expect(parse(hl7(MSH, 'PID|||5', MSH, 'PID|||6'))).toMatchObject({ kind: 'malformed' })
  })
  it('refuses thousands of different segment names, which would hold the process', () => {
    const names = Array.from({ length: 5000 }, (_, i) => `Z${i.toString(36).toUpperCase().padStart(2, '0').slice(-2)}|1`)
    expect(parse(hl7(MSH, ...names))).toMatchObject({ kind: 'malformed' })
  })
  it('refuses more segments or parts than the limits', () => {
    expect(parse(hl7(MSH, 'PID|1', 'OBX|1'), { ...HL7_LIMITS, segmentsMax: 2 })).toMatchObject({ kind: 'too-large' })
    expect(parse(hl7(MSH, `OBX|1|TX|${'~'.repeat(200)}`), { ...HL7_LIMITS, partsMax: 100 })).toMatchObject({ kind: 'too-large' })
  })

  const named = (charset: string, name: Buffer): Message => message(Buffer.concat([Buffer.from(`MSH|^~\\&|A|B|C|D|||ORU^R01|1|P|2.5.1||||||${charset}\rPID|||5||`), name, Buffer.from('\r')]))
  it('reads the declared character set, and what senders send instead', () => {
    const name = (charset: string, bytes: Buffer): [string, string | undefined] => { const m = named(charset, bytes); return [first(m, 'PID').text(5), m.notice] }
    expect(name('', Buffer.from('Núñez'))).toEqual(['Núñez', undefined])
    expect(name('UNICODE UTF-8', Buffer.from('Núñez', 'latin1'))).toEqual(['Núñez', 'charset-fallback'])
    expect(name('', Buffer.from('Núñez', 'latin1'))).toEqual(['Núñez', 'charset-fallback'])
    expect(name('8859/1', Buffer.from('Núñez', 'latin1'))).toEqual(['Núñez', undefined])
    expect(name('8859/1', Buffer.from('Núñez'))).toEqual(['Núñez', 'charset-mismatch'])
    expect(name('8859/2', Buffer.from([0xb1]))).toEqual(['ą', undefined])
    expect(name('GB 18030-2000', Buffer.from([0xc4, 0xe3]))).toEqual(['你', undefined])
    expect(name('NOT A SET', Buffer.from([0x80]))).toEqual(['€', 'charset-fallback'])
  })
  it('refuses bytes that are not in a declared multi-byte set', () => {
    expect(() => named('GB 18030-2000', Buffer.from([0xff, 0xff]))).toThrow('charset-invalid')
    expect(() => named('UNICODE UTF-16', Buffer.from('x'))).toThrow('charset-invalid')
  })
  it('skips a byte-order mark and line ends before MSH', () => {
    expect(message(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(`\r\n${MSH}\r`)])).msh.text(10)).toBe('1')
  })

  it('never throws, whatever the bytes', () => {
    const noise = fc.array(fc.constantFrom('|', '^', '~', '\\', '&', '\r', '\n', 'MSH', 'OBX', 'PID', '|^~\\&|', 'a', '\\X4\\', '\\F\\', '"', '', '1'), { maxLength: 60 })
    fc.assert(fc.property(noise, pieces => {
      const raw = Buffer.from(`MSH|^~\\&|${pieces.join('')}`)
      const header = readHeader(raw)
      if (header === undefined) return
      const parsed = parseMessage(raw, header, HL7_LIMITS)
      if (parsed.kind !== 'ok') return
      for (const s of parsed.message.segments) for (let n = 0; n < 6; n++) { s.raw(n); s.said(n, 2, 1); s.repetitions(n) }
    }), { numRuns: 1000 })
  })
  it('gives every plain field as the naive split does', () => {
    const value = fc.stringMatching(/^[a-z0-9 ]{0,4}$/)
    const field = fc.array(fc.array(value, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 })
    fc.assert(fc.property(fc.array(field, { maxLength: 5 }), fields => {
      const text = fields.map(reps => reps.map(comps => comps.join('^')).join('~')).join('|')
      const zz = first(message(hl7(MSH, `ZZ1|${text}`)), 'ZZ1')
      fields.forEach((reps, f) => { reps.forEach((comps, r) => { comps.forEach((c, i) => { expect(zz.text(f + 1, i + 1, r)).toBe(c) }) }) })
    }))
  })
})
