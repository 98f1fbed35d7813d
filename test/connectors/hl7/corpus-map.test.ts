import { existsSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { readHeader } from '../../../connectors/hl7/header.ts'
import { hl7Mapper, readHl7File } from '../../../connectors/hl7/index.ts'
import { HL7_PROFILE } from '../../../connectors/hl7/profile.ts'
import { PLAIN_MAPPING, type CodeMapping, type MapContext, type MappedMessage, type UnmappedCode } from '../../../connectors/kit/index.ts'

const CORPUS = new URL('../../../../shared/data/hl7/messages.jsonl', import.meta.url).pathname
const present = existsSync(CORPUS)
if (!present) console.log('SKIPPED: the corpus of public HL7 messages is absent (../shared/data/hl7/messages.jsonl)')

const NOW = Date.UTC(2026, 10, 1)
/** Suites of tests call themselves production, training and debugging. */
const map = hl7Mapper({ profile: { ...HL7_PROFILE, processingIds: ['P', 'T', 'D'] } })
const unmapped: UnmappedCode[] = []
const context = (codes: ReadonlyMap<string, CodeMapping> = new Map()): MapContext => ({ now: NOW, mapping: { ...PLAIN_MAPPING, codes }, patientInBed: () => undefined, unmapped: code => { unmapped.push(code) } })

/** What a message became, in one line. */
function outcome (mapped: MappedMessage): string {
  if (mapped.kind === 'rejected') return `rejected: ${mapped.fault.cause}`
  const events = new Set(mapped.events.map(({ event }) => event.type === 'encounter' ? event.action : event.type === 'statement' || event.type === 'observations' ? event.kind : event.type))
  return [...events, ...mapped.archived === undefined ? [] : ['kept'], ...mapped.refused.length === 0 ? [] : ['refused']].join(' ') || 'nothing'
}

describe.skipIf(!present)('329 public HL7 messages', () => {
  const messages: { readonly raw: Buffer, readonly type: string, readonly mapped: MappedMessage }[] = []
  beforeAll(async () => {
    for await (const raw of readHl7File(CORPUS)) {
      const header = readHeader(raw)
      messages.push({ raw, type: [header?.component(9, 1), header?.component(9, 2)].join('^'), mapped: map(raw, context()) })
    }
  })

  it('become what their types say', () => {
    const by: Record<string, string[]> = {}
    for (const { type, mapped } of messages) by[type] = [...new Set([...by[type] ?? [], outcome(mapped)])].sort()
    const { 'ORU^R01': results, ...others } = by
    const kept = Object.entries(others).filter(([, outcomes]) => outcomes.join() === 'kept').map(([type]) => type).sort()
    expect(kept.join(' ')).toBe('ADT^A05 ADT^A09 ADT^A14 ADT^A15 ADT^A16 ADT^A25 ADT^A26 ADT^A27 ADT^A29 ADT^A41 ADT^A45 ADT^A60 BAR^P01 BAR^P02 BAR^P12 DFT^P03 DFT^P11 MDM^T01 MDM^T02 MDM^T06 MDM^T09 MDM^T10 OMD^O03 RDS^O13 REF^I12 REF^I14 SIU^S12 SIU^S14 SIU^S15 SIU^S16 SIU^S17 SIU^S26')
    expect(Object.fromEntries(Object.entries(others).filter(([type]) => !kept.includes(type)))).toEqual({
      'ACK^': ['rejected: unsupported-type'], 'ERP^Z99': ['rejected: unsupported-type'], 'QRY^Q01': ['rejected: unsupported-type'],
      'ADT^A01': ['admit'], 'ADT^A02': ['transfer'], 'ADT^A03': ['discharge'], 'ADT^A04': ['admit'], 'ADT^A06': ['admit'], 'ADT^A07': ['transfer'], 'ADT^A08': ['update'], 'ADT^A13': ['admit'],
      'ADT^A28': ['update'], 'ADT^A31': ['update'], 'ADT^A40': ['merge'], 'ADT^A47': ['merge'],
      'OML^O21': ['kept', 'order kept'], 'ORM^O01': ['kept', 'order kept', 'refused'], 'RDE^O11': ['medication-request', 'medication-request kept'], 'RDE^O25': ['medication-request', 'medication-request kept'],
      'OUL^R22': ['kept refused'], 'OUL^R23': ['kept refused'], 'OUL^R24': ['kept refused'],
    })
    expect(results).toEqual(['kept refused', 'nothing', 'refused', 'rejected: patient-missing'])
  })

  it('are mapped the same each time', () => {
    for (const { raw, mapped } of messages) expect(map(raw, context())).toEqual(mapped)
  })

  it('say of each refused part what it was when it is read again, under an identity of its own', () => {
    let parts = 0
    for (const { mapped } of messages) {
      if (mapped.kind === 'rejected') continue
      for (const part of mapped.refused) {
        parts++
        const again = map(part.raw, context())
        if (again.kind === 'mapped') expect([again.events, again.refused.map(one => one.fault.cause), again.refused[0]?.raw.equals(part.raw)]).toEqual([[], [part.fault.cause], true])
        else expect(again.fault.cause).toBe(part.fault.cause)
      }
      const ids = [mapped, ...mapped.refused.map(part => map(part.raw, context()))].flatMap(one => one.kind === 'mapped' ? [one.id] : [])
      if (mapped.events.length > 0) expect(new Set(ids).size).toBe(ids.length)
    }
    expect(parts).toBeGreaterThan(600)
  })

  it('lose and double nothing when their codes are mapped later and what was refused is retried', () => {
    const codes = new Map(unmapped.map(({ system, code }) => [`${system.toUpperCase()}|${code.toUpperCase()}`, { concept: 'platelets' as const, unit: '10*3/uL' }]))
    const values = (mapped: MappedMessage): readonly string[] => mapped.kind === 'rejected' ? [] : mapped.events.flatMap(({ patient, event }) => event.type === 'observations' ? event.observations.map(o => `${patient.id} ${o.resultId} ${o.value} ${o.eventTime} ${o.status}`) : [])
    let found = 0
    for (const { raw, mapped } of messages) {
      if (mapped.kind === 'rejected') continue
      const later = [mapped, ...mapped.refused.map(part => map(part.raw, context(codes)))].flatMap(values)
      const once = values(map(raw, context(codes)))
      expect(later.toSorted()).toEqual(once.toSorted())
      found += once.length
    }
    expect(found).toBeGreaterThan(20)
  })
})
