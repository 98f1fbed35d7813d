import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ROW_BYTES_MAX, RowScanner } from '../../../connectors/files/row-scanner.ts'

interface Scanned { readonly rows: string[][], readonly lines: number[], readonly broken: string[] }

function scan (chunks: readonly Buffer[], delimiter: ',' | '|' = ','): Scanned {
  const scanned: Scanned = { rows: [], lines: [], broken: [] }
  const scanner = new RowScanner(delimiter, {
    row: row => { scanned.rows.push(Array.from({ length: row.fields }, (_, i) => row.text(i))); scanned.lines.push(row.line) },
    broken: (cause, raw, line) => { scanned.broken.push(`${cause} ${line} ${raw.length > 40 ? raw.length : raw.toString()}`) },
  })
  for (const chunk of chunks) scanner.push(chunk)
  scanner.end()
  return scanned
}

const scanText = (text: string): Scanned => scan([Buffer.from(text)])

describe('the row scanner', () => {
  test('finds fields between delimiters, empty ones too', () => {
    expect(scanText('a,b,c\n1,,3\n,,\n').rows).toEqual([['a', 'b', 'c'], ['1', '', '3'], ['', '', '']])
  })

  test('takes CR LF, LF, and a last line without either', () => {
    expect(scanText('a,b\r\n1,2\n3,4').rows).toEqual([['a', 'b'], ['1', '2'], ['3', '4']])
    expect(scanText('a,b\r\n1,\r\n').rows[1]).toEqual(['1', ''])
  })

  test('takes quotes around delimiters, line ends and doubled quotes, and counts the lines within', () => {
    const scanned = scanText('"a","b"\n"x, y","two\nlines"\n"say ""ah""",2\n')
    expect(scanned.rows).toEqual([['a', 'b'], ['x, y', 'two\nlines'], ['say "ah"', '2']])
    expect(scanned.lines).toEqual([1, 2, 4])
  })

  test('passes over blank lines and a byte order mark', () => {
    expect(scanText('\uFEFFa,b\n\n\r\n1,2\n')).toMatchObject({ rows: [['a', 'b'], ['1', '2']], lines: [1, 4] })
  })

  test('reports the line whose quote never closes, and reads the next afresh', () => {
    expect(scanText('a,b\n1,"open\n3,4\n')).toEqual({ rows: [['a', 'b'], ['3', '4']], lines: [1, 3], broken: ['malformed 2 1,"open'] })
  })

  test('gives a line without end up at a limit, and goes on at the next', () => {
    const endless = Buffer.alloc(64 * 1024, 'x')
    const scanned = scan([Buffer.from('a,b\n'), ...Array.from({ length: ROW_BYTES_MAX / endless.length + 4 }, () => endless), Buffer.from('\n1,2\n')])
    expect(scanned.rows).toEqual([['a', 'b'], ['1', '2']])
    expect(scanned.broken).toHaveLength(1)
    expect(scanned.broken[0]).toMatch(/^too-large 2 /)
  })

  test('answers the same however the bytes are cut', () => {
    const field = fc.array(fc.constantFrom('a', '7', '.', ',', '"', '\n', ' ', 'é'), { maxLength: 5 }).map(parts => parts.join(''))
    const table = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 6 })
    fc.assert(fc.property(table, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 60 }), fc.constantFrom('\n', '\r\n'), (rows, cuts, lineEnd) => {
      const bytes = Buffer.from(rows.map(fields => fields.map(quote).join(',')).join(lineEnd) + lineEnd)
      const chunks: Buffer[] = [bytes.subarray(0, 3)]
      for (let at = 3, i = 0; at < bytes.length; i++) {
        const size = cuts[i % cuts.length] as number
        chunks.push(bytes.subarray(at, at + size))
        at += size
      }
      const scanned = scan(chunks)
      expect(scanned.rows).toEqual(rows)
      expect(scanned.broken).toEqual([])
    }))
  })
})

function quote (field: string): string { return /[",\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field }
