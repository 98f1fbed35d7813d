import { isUtf8 } from 'node:buffer'
import { existsSync } from 'node:fs'
import HL7, { type FieldData, type ParsedSegment } from 'hl7-standard'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readHl7File } from '../../../connectors/hl7/index.ts'
import { decodeEscapes } from '../../../connectors/hl7/delimiters.ts'
import { readHeader, STANDARD } from '../../../connectors/hl7/header.ts'
import { HL7_LIMITS } from '../../../connectors/hl7/limits.ts'
import { parseMessage } from '../../../connectors/hl7/message.ts'
import type { Segment } from '../../../connectors/hl7/segment.ts'

/** hl7-standard's reading of the same segments. It is given what it reads correctly: one kind of line end, standard delimiters, known names, more than one line. */
function twinOf (lines: readonly string[]): readonly ParsedSegment[] {
  const parsed = new HL7(`${lines.join('\r')}\r`)
  parsed.transform()
  return Object.values(parsed.transformed).flat().sort((a, b) => a.index - b.index)
}

function textIn (twin: ParsedSegment, name: string, n: number, component: number, repetition: number, subcomponent: number): string {
  const data = twin.data[`${name}.${n}`] ?? ''
  const value = valueIn(data, `${name}.${n}.${component}`, component, repetition)
  return decodeEscapes((typeof value === 'string' ? [value] : value)[subcomponent - 1] ?? '', STANDARD)
}

function valueIn (data: FieldData, key: string, component: number, repetition: number): string | readonly string[] {
  if (Array.isArray(data) && typeof data[0] === 'object') return (data[repetition] as Readonly<Record<string, string | readonly string[]>> | undefined)?.[key] ?? ''
  if (repetition > 0) return ''
  if (typeof data === 'string' || Array.isArray(data)) return component === 1 ? data as string | readonly string[] : ''
  return (data as Readonly<Record<string, string | readonly string[]>>)[key] ?? ''
}

function repetitionsIn (data: FieldData): number { return data === '' ? 0 : Array.isArray(data) && typeof data[0] === 'object' ? data.length : 1 }

/** Every place of a message, and some beyond its ends. */
function compare (ours: Segment, twin: ParsedSegment, line: string): void {
  const fields = line.split('|').length
  for (let n = ours.name === 'MSH' ? 3 : 1; n <= fields + 1; n++) { // MSH-1 and MSH-2 are delimiters
    const repetitions = repetitionsIn(twin.data[`${ours.name}.${n}`] ?? '')
    expect(ours.repetitions(n), `${ours.name}-${n} of ${line}`).toBe(repetitions)
    for (let repetition = 0; repetition <= repetitions; repetition++) {
      for (let component = 1; component <= 7; component++) {
        for (let sub = 1; sub <= 3; sub++) {
          const here = ours.text(n, component, repetition, sub)
          if (here !== textIn(twin, ours.name, n, component, repetition, sub)) expect(here, `${ours.name}-${n}.${component}.${sub} repetition ${repetition} of ${line}`).toBe(textIn(twin, ours.name, n, component, repetition, sub))
        }
      }
    }
  }
}

/** Answers how many segments were compared; none where the twin cannot read the message: other delimiters, or not UTF-8. */
function compareMessage (raw: Buffer): number {
  const header = readHeader(raw)
  if (header === undefined || header.encodingCharacters !== '^~\\&' || header.delimiters.field !== '|' || !isUtf8(raw)) return 0
  const parsed = parseMessage(raw, header, HL7_LIMITS)
  if (parsed.kind !== 'ok') return 0
  const lines = raw.toString('utf8', header.start).split(/[\r\n]+/).filter(line => /^[A-Z][A-Z0-9]{2}(\||$)/.test(line)).map(line => line.length === 3 ? `${line}|` : line)
  const twins = lines.length < 2 ? [] : twinOf(lines)
  if (lines.length > 1) expect(twins).toHaveLength(parsed.message.segments.length)
  twins.forEach((twin, i) => { compare(parsed.message.segments[i]!, twin, lines[i]!) })
  return twins.length
}

const CORPUS = new URL('../../../../shared/data/hl7/messages.jsonl', import.meta.url).pathname
const present = existsSync(CORPUS)
if (!present) console.log('SKIPPED: the corpus of public HL7 messages is absent (../shared/data/hl7/messages.jsonl)')

describe('the reader and hl7-standard, its twin', () => {
  it.skipIf(!present)('read the same in every place of public messages', async () => {
    let segments = 0
    for await (const raw of readHl7File(CORPUS)) segments += compareMessage(raw)
    expect(segments).toBeGreaterThan(1_000)
  }, 60_000)

  it('read the same in every place of any message', () => {
    const value = fc.string({ unit: fc.constantFrom(...'^~&^~&"\' aä1.-<>/'), maxLength: 12 })
    const segment = fc.tuple(fc.constantFrom('PID', 'OBR', 'OBX', 'NTE', 'Z01'), fc.array(value, { minLength: 1, maxLength: 9 })).map(([name, fields]) => [name, ...fields].join('|'))
    fc.assert(fc.property(fc.array(segment, { minLength: 1, maxLength: 8 }), lines => {
      compareMessage(Buffer.from(['MSH|^~\\&|A|B~C|D^E&F|G|20260314||ORU^R01^ORU_R01|1|P|2.5.1', ...lines, ''].join('\r')))
    }), { numRuns: 500 })
  })
})
