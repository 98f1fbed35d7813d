import { expect, it } from 'vitest'
import { deletionOf } from '../../../../connectors/fhir/index.ts'
import { causeOf, eventsOf, map, mapRaw, MRN, NOW_MS, patient } from '../support.ts'

const subject = { reference: 'Patient/p1' }
const stay = (extra: object = {}): Record<string, unknown> & { resourceType: string } => ({ resourceType: 'Encounter', id: 'e1', status: 'in-progress', class: { code: 'IMP' }, subject, period: { start: '2031-05-06T06:00:00Z' }, location: [place('b3', '2031-05-06T08:00:00Z')], ...extra })
const place = (id: string, start: string, extra: object = {}): object => ({ location: { reference: `Location/${id}` }, status: 'active', period: { start }, ...extra })
const places = [
  { resourceType: 'Location', id: 'b3', name: '03', physicalType: { coding: [{ code: 'bd' }] }, partOf: { reference: 'Location/r1' } }, { resourceType: 'Location', id: 'r1', name: 'Room 1', physicalType: { coding: [{ code: 'ro' }] }, partOf: { reference: 'Location/icu' } },
  { resourceType: 'Location', id: 'icu', identifier: [{ value: 'ICU' }], name: 'Intensive care', physicalType: { coding: [{ code: 'wa' }] } }, { resourceType: 'Location', id: 'b9', name: '09', physicalType: { coding: [{ code: 'bd' }] }, partOf: { reference: 'Location/icu' } },
]
const includes = [patient('p1'), ...places] as never
const before = (version: object): never => [...includes as never[], { ...stay(), ...version }] as never
const event = (resource: object, beside: never = includes): Readonly<Record<string, unknown>> | undefined => eventsOf(map(resource, { includes: beside }))[0]?.event

it('reads a first stay in a bed as an admission, with ward, bed, age and hours before', () => {
  expect(event(stay())).toEqual({ type: 'encounter', action: 'admit', eventTime: Date.parse('2031-05-06T06:00:00Z'), source: 'fhir:ehr', ward: 'ICU', bed: '03', ageYears: 81, sex: 'female', hoursSinceHospitalAdmission: 0 })
})

it('reads the difference to the version before: another bed is a transfer, the same an update', () => {
  const moved = stay({ location: [place('b3', '2031-05-06T08:00:00Z', { status: 'completed' }), place('b9', '2031-05-06T09:00:00Z')] })
  expect(event(moved, before({}))).toMatchObject({ action: 'transfer', bed: '09', eventTime: Date.parse('2031-05-06T09:00:00Z'), hoursSinceHospitalAdmission: 3 })
  expect(event(stay(), before({}))).toMatchObject({ action: 'update', bed: '03' })
  expect(event(stay(), before({ status: 'planned' }))).toMatchObject({ action: 'admit' })
  expect(event(moved)).toMatchObject({ action: 'transfer' })
})

it('reads the end as a discharge, once', () => {
  const ended = stay({ status: 'finished', period: { start: '2031-05-06T06:00:00Z', end: '2031-05-06T09:45:00Z' } })
  expect(event(ended, before({}))).toMatchObject({ action: 'discharge', ward: '', bed: '', eventTime: Date.parse('2031-05-06T09:45:00Z') })
  expect(event(ended, before({ status: 'finished' }))).toBeUndefined()
})

it('keeps a patient in bed whose planned encounter is cancelled, and ends one that was an error', () => {
  expect(event(stay({ status: 'cancelled' }), before({ status: 'planned' }))).toBeUndefined()
  expect(event(stay({ status: 'cancelled' }))).toBeUndefined()
  expect(event(stay({ status: 'entered-in-error' }), before({}))).toMatchObject({ action: 'discharge' })
  expect(event(stay({ status: 'cancelled', statusHistory: [{ status: 'in-progress', period: {} }] }))).toMatchObject({ action: 'discharge' })
})

it('ends a stay whose encounter was deleted', () => {
  const mapped = mapRaw(deletionOf('Encounter', 'e1', '', stay({ statusHistory: [{ status: 'arrived', period: {} }] }) as never, includes))
  expect(eventsOf(mapped)[0]!.event).toMatchObject({ action: 'discharge' })
})

it('archives ambulatory and planned encounters: they move nobody', () => {
  expect(map(stay({ class: { code: 'AMB' } }))).toMatchObject({ events: [], archived: { type: 'Encounter' } })
  expect(map(stay({ status: 'planned' }))).toMatchObject({ events: [] })
})

it('names a place by its id where nothing of it is at hand', () => {
  expect(event(stay({ location: [place('b3', '2031-05-06T08:00:00Z', { physicalType: { coding: [{ code: 'bd' }] } })] }), [patient('p1')] as never)).toMatchObject({ ward: '', bed: 'b3' })
  expect(event(stay(), [patient('p1')] as never)).toMatchObject({ ward: 'b3', bed: '' })
})

it('does not run round in circles of places', () => {
  const circle = [{ resourceType: 'Location', id: 'b3', name: 'a', partOf: { reference: 'Location/r1' } }, { resourceType: 'Location', id: 'r1', name: 'b', partOf: { reference: 'Location/b3' } }]
  expect(event(stay(), [patient('p1'), ...circle] as never)).toMatchObject({ action: 'admit' })
})

it('reads a merge from either side, from the loser to the survivor', () => {
  const loser = patient('old', { link: [{ other: { reference: 'Patient/new' }, type: 'replaced-by' }] })
  const survivor = patient('new', { link: [{ other: { reference: 'Patient/old' }, type: 'replaces' }] })
  expect(eventsOf(map(loser, { includes: [patient('new')] }))).toMatchObject([{ patient: { id: 'MRN-old' }, event: { type: 'merge', survivor: { id: 'MRN-new' } } }])
  expect(eventsOf(map(survivor, { includes: [patient('old')] })).filter(one => one.event['type'] === 'merge')).toMatchObject([{ patient: { id: 'MRN-old' }, event: { survivor: { id: 'MRN-new' } } }])
})

it('merges nobody by see-also, with themselves, or with a stranger', () => {
  const linked = (type: string, other: object): ReturnType<typeof map> => map(patient('a', { link: [{ type, other }] }), { includes: [patient('b'), patient('c', { identifier: [{ system: MRN, value: 'MRN-a' }] })] })
  const merges = (mapped: ReturnType<typeof map>): number => eventsOf(mapped).filter(one => one.event['type'] === 'merge').length
  expect(merges(linked('seealso', { reference: 'Patient/b' }))).toBe(0)
  expect(merges(linked('replaced-by', { reference: 'Patient/c' }))).toBe(0)
  expect(causeOf(linked('replaced-by', { reference: 'Patient/nobody' }))).toBe('patient-missing')
})

it('reads age and sex, and a death as a statement that silences nothing', () => {
  const events = eventsOf(map(patient('p1', { deceasedDateTime: '2031-05-06T09:00:00Z' }), { includes: [] })).map(one => one.event)
  expect(events).toMatchObject([{ type: 'encounter', action: 'update', ward: '', bed: '', ageYears: 81, sex: 'female', eventTime: NOW_MS }, { type: 'statement', kind: 'condition', code: '419099009', eventTime: Date.parse('2031-05-06T09:00:00Z') }])
})
