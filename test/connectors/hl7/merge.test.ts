import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Mapped } from '../../../connectors/hl7/mapped.ts'
import { HL7_PROFILE } from '../../../connectors/hl7/profile.ts'
import type { FeedMapping } from '../../../connectors/kit/index.ts'
import { adt, mapRaw } from './support.ts'

const EVN = 'EVN||20260314110000+0000'
const AT = Date.parse('2026-03-14T11:00Z')
const PID = 'PID|1||NEW^^^HOSP^MR||Invented^Ana||19500412|F'
const NAMESPACES: Partial<FeedMapping> = { namespaces: new Map([['HOSP', ''], ['1.2.3', ''], ['REG', 'register']]) }
/** `OLD > NEW`, or why not. */
function merges (mapped: Mapped): readonly string[] {
  if (mapped.kind === 'rejected') return [`${mapped.fault.cause}: ${mapped.fault.detail}`]
  return [...mapped.events.map(({ patient, event }) => event.type === 'merge' ? `${patient.id} > ${event.survivor.id}` : event.type), ...mapped.refused.map(one => one.fault.cause), ...mapped.archived ? ['archived'] : []]
}
const of = (trigger: string, ...segments: string[]): readonly string[] => merges(mapRaw(adt(trigger, '1', EVN, ...segments)))

describe('a merge', () => {
  it('says of the old identifier that it is the new one, when and of whom', () => {
    const mapped = mapRaw(adt('A40', '1', EVN, PID, 'MRG|OLD^^^HOSP^MR'))
    expect(mapped).toMatchObject({ kind: 'mapped', archived: false, refused: [] })
    expect(mapped.kind === 'mapped' && mapped.events).toEqual([{ patient: { id: 'OLD' }, event: { type: 'merge', survivor: { id: 'NEW', familyName: 'Invented', givenName: 'Ana', birthDate: '1950-04-12' }, eventTime: AT, source: 'hl7:his' } }])
  })
  it('is told in the older forms and as a change of identifier too', () => {
    for (const trigger of ['A18', 'A30', 'A34', 'A36', 'A40', 'A47']) expect(of(trigger, PID, 'MRG|OLD')).toEqual(['OLD > NEW'])
  })
  it('may be of several pairs, of which one may be bad alone', () => {
    expect(of('A40', PID, 'MRG|OLD', 'PID|2||N2', 'MRG|O2')).toEqual(['OLD > NEW', 'O2 > N2'])
    expect(of('A40', PID, 'MRG|OLD', 'PID|2||N2', 'MRG|||ACC', 'PID|3||N3', 'PD1|', 'MRG|O3')).toEqual(['OLD > NEW', 'O3 > N3', 'patient-missing'])
    expect(of('A40', PID, 'PID|2||N2', 'MRG|O2')).toEqual(['O2 > N2', 'patient-missing'])
  })
  it('of several old identifiers is one event for each of the preferred type', () => {
    expect(of('A40', PID, 'MRG|O1^^^HOSP^MR~O2^^^HOSP^MR~SSN^^^SSA^SS')).toEqual(['O1 > NEW', 'O2 > NEW'])
  })
  it('follows the configured namespaces, each by itself', () => {
    const named = (mrg: string, pid = PID): readonly string[] => merges(mapRaw(adt('A40', '1', EVN, pid, mrg), NAMESPACES))
    expect(named('MRG|OLD^^^HOSP^MR~9^^^REG^PI~SSN^^^SSA^SS')).toEqual(['OLD > NEW', 'register|9 > NEW'])
    expect(named('MRG|OLD^^^OTHER&1.2.3&ISO^MR')).toEqual(['OLD > NEW'])
    expect(named('MRG|OLD^^^OTHER^MR')).toEqual(['patient-missing: MRG-1 of segment 4 has no identifier of a configured authority'])
    expect(named('MRG|OLD^^^HOSP^MR~9^^^REG', 'PID|1||NEW^^^HOSP^MR~9^^^REG')).toEqual(['OLD > NEW'])
  })
  it('without an old or a new identifier is rejected', () => {
    expect(of('A40', PID)).toEqual(['patient-missing: MRG-1: the message has no MRG'])
    expect(of('A40', PID, 'MRG|""')).toEqual(['patient-missing: MRG-1 of segment 4'])
    expect(of('A40', 'PID|1', 'MRG|OLD')).toEqual(['patient-missing: PID-3 of segment 3'])
    expect(of('A40', 'MRG|OLD')).toEqual(['patient-missing: PID-3: the message has no PID'])
  })
  it('of an identifier into itself changes nothing, is counted and kept', () => {
    const mapped = mapRaw(adt('A40', '1', EVN, PID, 'MRG|NEW'))
    expect([merges(mapped), [...mapped.notices.keys()]]).toEqual([['archived'], ['merge-of-itself']])
  })
  it('that closes a circle within its message is refused, and the others of it are not', () => {
    expect(of('A40', 'PID|1||B', 'MRG|A', 'PID|2||C', 'MRG|B', 'PID|3||A', 'MRG|C')).toEqual(['A > B', 'B > C', 'merge-loop'])
    expect(of('A40', 'PID|1||B', 'MRG|A', 'PID|2||A', 'MRG|B')).toEqual(['A > B', 'merge-loop'])
  })
  it('never leaves a circle, whatever pairs a message holds', () => {
    const id = fc.constantFrom('A', 'B', 'C', 'D')
    fc.assert(fc.property(fc.array(fc.tuple(id, id), { minLength: 1, maxLength: 8 }), pairs => {
      const mapped = mapRaw(adt('A40', '1', EVN, ...pairs.flatMap(([loser, survivor], i) => [`PID|${i}||${survivor}`, `MRG|${loser}`])))
      const into = new Map<string, string>()
      if (mapped.kind === 'mapped') for (const { patient, event } of mapped.events) if (event.type === 'merge') into.set(patient.id, event.survivor.id)
      for (const start of into.keys()) {
        const seen = new Set<string>()
        for (let at: string | undefined = start; at !== undefined; at = into.get(at)) { expect(seen.has(at)).toBe(false); seen.add(at) }
      }
    }))
  })
  it('of accounts, of two visits, and of identifiers outside PID-3 is kept only: it is not said of a whole patient', () => {
    for (const trigger of ['A35', 'A39', 'A41', 'A42', 'A43', 'A44', 'A46', 'A48', 'A49', 'A50', 'A51']) expect(of(trigger, PID, 'MRG|OLD||ACC', 'PV1|1|I|W^R^B')).toEqual(['archived'])
  })
})

describe('a patient', () => {
  const who = (pid: string, mapping: Partial<FeedMapping> = {}, profile = HL7_PROFILE): string => {
    const mapped = mapRaw(adt('A08', '1', EVN, pid), mapping, {}, profile)
    return mapped.kind === 'rejected' ? `${mapped.fault.cause}: ${mapped.fault.detail}` : mapped.events.map(one => one.patient.id).join()
  }
  it('is known, without namespaces, by the preferred type, then by what stands first', () => {
    expect(who('PID|1||77^^^SSA^SS~88^^^HOSP^MR~99^^^X^PI')).toBe('88')
    expect(who('PID|1||77^^^SSA^SS~99^^^X^PI')).toBe('99')
    expect(who('PID|1||77^^^SSA^SS~99^^^X^DL')).toBe('77')
    expect(who('PID|1||77^^^SSA^SS~88^^^HOSP^MR', {}, { ...HL7_PROFILE, identifierTypes: ['SS'] })).toBe('77')
  })
  it('is known by the first namespace of the table that PID-3 has, by the name or the OID of its authority', () => {
    expect(who('PID|1||9^^^REG^PI~88^^^HOSP^MR', NAMESPACES)).toBe('88')
    expect(who('PID|1||9^^^REG^PI~88^^^SSA^MR', NAMESPACES)).toBe('register|9')
    expect(who('PID|1||88^^^&1.2.3&ISO^MR', NAMESPACES)).toBe('88')
    expect(who('PID|1||88^^^HOSP^MR~99^^^HOSP^PI', NAMESPACES)).toBe('88')
    expect(who('PID|1||88', { namespaces: new Map([['', 'old']]) })).toBe('old|88')
  })
  it('without any identifier is missing, and without one of a known authority as well', () => {
    expect(who('PID|1||')).toBe('patient-missing: PID-3 of segment 3')
    expect(who('PID|1||88', NAMESPACES)).toBe('patient-missing: PID-3 of segment 3 has no identifier of a configured authority')
    expect(who('PID|1||88^^^SSA', NAMESPACES)).toBe('patient-missing: PID-3 of segment 3 has no identifier of a configured authority')
  })
  it('with two identifiers of one namespace is a conflict; twice the same is none, and the same number in two namespaces is two names', () => {
    expect(who('PID|1||88^^^HOSP^MR~89^^^HOSP^MR', NAMESPACES)).toBe('identifier-conflict: PID-3 of segment 3 has two identifiers of one namespace')
    expect(who('PID|1||88^^^HOSP^MR~89^^^&1.2.3^MR', NAMESPACES)).toBe('identifier-conflict: PID-3 of segment 3 has two identifiers of one namespace')
    expect(who('PID|1||88^^^HOSP^MR~88^^^&1.2.3^MR', NAMESPACES)).toBe('88')
    expect(who('PID|1||88^^^REG^MR~88^^^HOSP^MR', NAMESPACES)).toBe('88')
  })
  it('may be named by PID-2 or PID-4 where the profile says so and PID-3 is empty', () => {
    const older = { ...HL7_PROFILE, identifierFallback: ['PID-2', 'PID-4'] as const }
    expect(who('PID|1|EXT||ALT')).toBe('patient-missing: PID-3 of segment 3')
    expect(['PID|1|EXT||ALT', 'PID|1||""|ALT', 'PID|1|EXT|MAIN|ALT'].map(pid => who(pid, {}, older))).toEqual(['EXT', 'ALT', 'MAIN'])
  })
})
