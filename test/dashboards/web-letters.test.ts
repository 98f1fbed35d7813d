import { describe, expect, it } from 'vitest'
import { linesOf, textOf } from '../../dashboards/web/src/dead-letters/place.ts'

const place = (text: string, detail: string): unknown => linesOf(text, detail).flatMap((line, i) => line.isPlace ? [[i + 1, line.marked]] : [])
const LAB = 'MSH|^~\\&|LAB|NORTH\rPID|1||TEST-1\r\nOBX|1|NM|K||4.1|mmol/L\nOBX|2|NM|XLAC||3.4|mmol/L\r'

describe('the place of a refusal in its message', () => {
  it('is the field of the segment that the refusal names', () => {
    expect(place(LAB, 'OBX-5 of segment 4 has several values')).toEqual([[4, '3.4']])
    expect(place(LAB, 'PID-3 of segment 2')).toEqual([[2, 'TEST-1']])
  })

  it('is the only segment of the name in a letter of one row, whatever number it had in its message', () => {
    expect(place('MSH|^~\\&|LAB\rPID|1||TEST-1\rOBX|20|NM|XLAC||3.4\r', 'OBX-3 of segment 24')).toEqual([[3, 'XLAC']])
  })

  it('counts the fields of MSH from its separator, and reads a separator of its own', () => {
    expect(place('MSH|^~\\&|LAB|NORTH|||||QRY^Q01|7|P', 'MSH-9 of segment 1')).toEqual([[1, 'QRY^Q01']])
    expect(place('MSH$^~\\&$LAB\rPID$1$$TEST-1', 'PID-3 of segment 2')).toEqual([[2, 'TEST-1']])
  })

  it('is a line without a mark where the field is missing, and nothing where no segment is meant', () => {
    expect(place('MSH|^~\\&|LAB\rPID|1', 'PID-3 of segment 2')).toEqual([[2, '']])
    expect(place(LAB, 'OBX-3 of segment 9')).toEqual([])
    expect(place('{"time":1}', 'numerics[0].code')).toEqual([])
    expect(place(LAB, '')).toEqual([])
  })

  it('leaves the message as it was, line by line', () => {
    expect(linesOf(LAB, 'OBX-5 of segment 4').map(({ before, marked, after }) => before + marked + after)).toEqual(LAB.split(/\r\n|\r|\n/).filter(line => line !== ''))
  })

  it('is read from UTF-8, and from windows-1252 where the bytes are none', () => {
    const bytes = (...of: number[]): ArrayBuffer => new Uint8Array(of).buffer
    expect(textOf(bytes(0xc3, 0xa9))).toBe('é')
    expect(textOf(bytes(0xe9))).toBe('é')
  })
})
