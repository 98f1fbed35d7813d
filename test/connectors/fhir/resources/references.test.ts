import { expect, it } from 'vitest'
import { deletionOf, envelopeOf } from '../../../../connectors/fhir/index.ts'
import { causeOf, eventsOf, heartRate, map, MAPPING, mapRaw, MRN, patient } from '../support.ts'

const who = (resource: object, options?: Parameters<typeof map>[1]): string => eventsOf(map(resource, options))[0]!.patient.id

it('follows a literal reference, absolute or with a version, to the patient beside it', () => {
  expect(who(heartRate('o1', 80, { subject: { reference: 'https://ehr.example/fhir/Patient/p1' } }))).toBe('MRN-p1')
  expect(who(heartRate('o1', 80, { subject: { reference: 'Patient/p1/_history/3' } }))).toBe('MRN-p1')
})

it('takes a logical identifier, and a contained patient', () => {
  expect(who(heartRate('o1', 80, { subject: { identifier: { system: MRN, value: 'MRN-9' } } }), { includes: [] })).toBe('MRN-9')
  expect(who(heartRate('o1', 80, { subject: { reference: '#me' }, contained: [{ ...patient('x'), id: 'me' }] }), { includes: [] })).toBe('MRN-x')
})

it('refuses whom nobody knows, and an identifier of a foreign system', () => {
  expect(causeOf(map(heartRate('o1', 80), { includes: [] }))).toBe('patient-missing')
  expect(causeOf(map(heartRate('o1', 80, { subject: { identifier: { system: 'urn:elsewhere', value: '1' } } }), { includes: [] }))).toBe('patient-missing')
  expect(causeOf(map(heartRate('o1', 80, { subject: undefined })))).toBe('patient-missing')
  expect(causeOf(map(heartRate('o1', 80), { includes: [patient('p1', { identifier: [{ system: 'urn:elsewhere', value: '1' }] })] }))).toBe('patient-missing')
})

it('finds patients that whoever built the mapper knows, as files do', () => { expect(who(heartRate('o1', 80), { includes: [], known: reference => reference === 'Patient/p1' ? patient('p1') as never : undefined })).toBe('MRN-p1') })

it('prefers systems in the mapping\'s order, drops old identifiers, and does not depend on the order of the list', () => {
  const identifier = [{ system: 'urn:b', value: 'B' }, { system: MRN, value: 'OLD', use: 'old' }, { system: MRN, value: 'Z' }, { system: MRN, value: 'A' }]
  const mapping = { ...MAPPING, namespaces: new Map([[MRN, 'main'], ['urn:b', 'b']]) }
  for (const list of [identifier, identifier.toReversed()]) {
    const mapped = map(heartRate('o1', 80), { mapping, includes: [patient('p1', { identifier: list })] })
    expect(eventsOf(mapped)[0]!.patient.id).toBe('main|A')
    expect(mapped.notices.get('identifier-ambiguous')).toBe(1)
  }
})

it('takes the medical record number where nothing is configured', () => {
  const identifier = [{ system: 'urn:ssn', value: 'S', use: 'official' }, { type: { coding: [{ code: 'MR' }] }, value: 'M' }]
  expect(who(heartRate('o1', 80), { mapping: { ...MAPPING, namespaces: new Map() }, includes: [patient('p1', { identifier })] })).toBe('M')
})

it('archives what is about a device or a group', () => { expect(map(heartRate('o1', 80, { subject: { reference: 'Group/g' } }))).toMatchObject({ kind: 'mapped', events: [], archived: { type: 'Observation' } }) })

it('reads a bundle whole: entries, its own patients, and neither outcomes nor includes', () => {
  const bundle = { resourceType: 'Bundle', type: 'searchset', entry: [{ resource: heartRate('o1', 80) }, { resource: heartRate('o2', 81) }, { resource: patient('p1'), search: { mode: 'include' } }, { resource: { resourceType: 'OperationOutcome', issue: [] }, search: { mode: 'outcome' } }] }
  const mapped = mapRaw(Buffer.from(JSON.stringify(bundle)))
  expect(eventsOf(mapped)).toHaveLength(2)
  expect(mapped.notices.get('entries-skipped')).toBe(1)
})

it('retracts what was deleted, by its last version', () => {
  const mapped = mapRaw(deletionOf('Observation', 'o1', '2031-05-06T09:40:00Z', heartRate('o1', 80) as never, [patient('p1')] as never))
  expect(eventsOf(mapped)[0]!.event).toMatchObject({ observations: [{ status: 'withdrawn', resultId: 'Observation/o1|8867-4' }] })
})

it('refuses a deletion of which no version is known, as a message that says so again', () => {
  const mapped = mapRaw(deletionOf('Observation', 'o1', '', undefined, []))
  expect(causeOf(mapped)).toBe('patient-missing')
})

it('archives what it does not compute with, and refuses what is no resource', () => {
  expect(map({ resourceType: 'Goal', id: 'g' })).toMatchObject({ kind: 'mapped', archived: { type: 'Goal' } })
  for (const junk of ['', 'null', '[]', '{"a":1}', '{"resourceType":7}', '<Bundle/>']) expect(causeOf(mapRaw(Buffer.from(junk)))).toBe('malformed')
  expect(causeOf(mapRaw(envelopeOf(heartRate('o1', 80) as never, []), { messageBytesMax: 10 }))).toBe('too-large')
})

it('says nothing of a value, a name or an identifier in what it refuses', () => {
  const named = heartRate('o1', 4711, { subject: { reference: 'Patient/Jane.Doe', display: 'Jane Doe' }, note: [{ text: 'Jane Doe' }] })
  for (const mapped of [map(named), map({ ...named, subject: { reference: 'Patient/p1' } }), map({ ...named, subject: { identifier: { system: 'x', value: 'Doe-1' } } })]) {
    expect(mapped.kind === 'rejected' ? mapped.fault.detail : 'taken').not.toMatch(/Jane|Doe|4711/)
  }
})
