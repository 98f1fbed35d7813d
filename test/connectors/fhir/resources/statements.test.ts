import { expect, it } from 'vitest'
import { causeOf, eventsOf, heartRate, map, NOW_MS } from '../support.ts'

const SNOMED = 'http://snomed.info/sct'
const snomed = (code: string): object => ({ coding: [{ system: SNOMED, code }], text: 'free text of somebody' })
const word = (code: string): object => ({ coding: [{ code }] })
const subject = { reference: 'Patient/p1' }
const said = (resource: object, options?: Parameters<typeof map>[1]): readonly Readonly<Record<string, unknown>>[] => eventsOf(map(resource, options)).map(one => one.event)
const at = (time: string): number => Date.parse(time)

const condition = { resourceType: 'Condition', id: 'c1', subject, code: snomed('91302008'), clinicalStatus: word('active'), onsetDateTime: '2031-05-01T08:00:00Z' }

it('reads a diagnosis: code, onset and end, and no text', () => {
  const [event] = said({ ...condition, abatementDateTime: '2031-05-05T08:00:00Z', clinicalStatus: word('resolved') })
  expect(event).toEqual({ type: 'statement', kind: 'condition', source: 'fhir:ehr', statementId: 'Condition/c1', status: 'completed', system: SNOMED, code: '91302008', eventTime: at('2031-05-01T08:00:00Z'), endTime: at('2031-05-05T08:00:01Z'), value: NaN, unit: '' })
  expect(JSON.stringify(event)).not.toContain('free text')
})

it.each([
  [{ clinicalStatus: word('recurrence') }, 'active'], [{ clinicalStatus: word('remission') }, 'inactive'], [{ verificationStatus: word('refuted') }, 'absent'], [{ verificationStatus: word('entered-in-error') }, 'withdrawn'],
])('reads the status of a condition with %j as %s', (extra, status) => { expect(said({ ...condition, ...extra })[0]).toMatchObject({ status }) })

it('takes a year, an age and the time of recording for an onset, and else now, counted', () => {
  const { onsetDateTime: _, ...timeless } = condition
  expect(said({ ...condition, onsetDateTime: '2019' })[0]).toMatchObject({ eventTime: at('2019-01-01') })
  expect(said({ ...timeless, onsetAge: { value: 60, code: 'a' } })[0]).toMatchObject({ eventTime: at('2010-01-01') })
  expect(said({ ...timeless, recordedDate: '2031-05-02' })[0]).toMatchObject({ eventTime: at('2031-05-02') })
  expect(said(timeless)[0]).toMatchObject({ eventTime: NOW_MS })
  expect(map(timeless).notices.get('time-missing')).toBe(1)
})

it('refuses a diagnosis in words alone, and prefers SNOMED CT among several codings', () => {
  expect(causeOf(map({ ...condition, code: { text: 'sepsis' } }))).toBe('code-unknown')
  expect(said({ ...condition, code: { coding: [{ system: 'urn:local', code: 'X' }, { system: SNOMED, code: '91302008' }] } })[0]).toMatchObject({ code: '91302008' })
})

it('reads an order of a drug with its dose, from a contained drug too', () => {
  const order = {
    resourceType: 'MedicationRequest', id: 'm1', status: 'active', intent: 'order', subject, authoredOn: '2031-05-06T08:00:00Z', contained: [{ resourceType: 'Medication', id: 'd', code: { coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code: '7512' }] } }],
    medicationReference: { reference: '#d' }, dosageInstruction: [{ doseAndRate: [{ doseQuantity: { value: 4, unit: 'mg', code: 'mg' } }] }],
  }
  expect(said(order)[0]).toMatchObject({ kind: 'medication-request', status: 'active', code: '7512', value: 4, unit: 'mg' })
  expect(said({ ...order, status: 'cancelled' })[0]).toMatchObject({ status: 'withdrawn' })
  expect(said({ ...order, intent: 'plan' })[0]).toMatchObject({ status: 'planned' })
  expect(map({ ...order, doNotPerform: true })).toMatchObject({ events: [], archived: { type: 'MedicationRequest' } })
})

it('reads a drug that was given: time, end and rate', () => {
  const given = { resourceType: 'MedicationAdministration', id: 'a1', status: 'in-progress', subject, medicationCodeableConcept: snomed('45555007'), effectivePeriod: { start: '2031-05-06T08:00:00Z', end: '2031-05-06T09:00:00Z' }, dosage: { rateQuantity: { value: 0.1, code: 'ug/kg/min' } } }
  expect(said(given)[0]).toMatchObject({ kind: 'medication-administration', status: 'active', value: 0.1, unit: 'ug/kg/min', eventTime: at('2031-05-06T08:00:00Z'), endTime: at('2031-05-06T09:00:01Z') })
  expect(said({ ...given, status: 'not-done' })[0]).toMatchObject({ status: 'absent' })
})

it('reads an allergy, by its patient', () => {
  expect(said({ resourceType: 'AllergyIntolerance', id: 'x', patient: subject, code: snomed('764146007'), clinicalStatus: word('active'), recordedDate: '2031-01-01' })[0]).toMatchObject({ kind: 'allergy', status: 'active', code: '764146007' })
})

it('makes a statement of each condition of a relative', () => {
  const family = { resourceType: 'FamilyMemberHistory', id: 'f', status: 'completed', patient: subject, date: '2031-05-01', relationship: word('MTH'), condition: [{ code: snomed('73211009'), onsetAge: { value: 50, code: 'a' } }, { code: { text: 'odd' } }] }
  const mapped = map(family)
  expect(eventsOf(mapped).map(one => one.event)).toMatchObject([{ kind: 'family-history', statementId: 'FamilyMemberHistory/f|73211009', value: 50, unit: 'a' }])
  expect(causeOf(mapped)).toBe('code-unknown')
  expect(map({ ...family, status: 'health-unknown', condition: [] })).toMatchObject({ archived: { type: 'FamilyMemberHistory' } })
})

it('reads a report, its coded conclusions, and the results that it contains', () => {
  const { subject: _, ...contained } = heartRate('in', 77)
  const report = { resourceType: 'DiagnosticReport', id: 'r', status: 'final', subject, code: { coding: [{ system: 'http://loinc.org', code: '58410-2' }] }, effectiveDateTime: '2031-05-06T09:00:00Z', conclusionCode: [snomed('165517008')], contained: [contained], result: [{ reference: '#in' }] }
  expect(said(report)).toMatchObject([{ kind: 'report', status: 'completed', code: '58410-2' }, { kind: 'report', code: '165517008', statementId: 'DiagnosticReport/r|conclusion|165517008' }, { type: 'observations', observations: [{ value: 77, resultId: 'Observation/r.in|8867-4' }] }])
})

it('reads answers as symptoms: no is absent, a choice is itself, text is left out', () => {
  const answers = {
    resourceType: 'QuestionnaireResponse', id: 'q', status: 'completed', subject, authored: '2031-05-06T09:00:00Z', questionnaire: 'https://example.org/q|2',
    item: [
      { linkId: 'chills', answer: [{ valueBoolean: true }] }, { linkId: 'cough', answer: [{ valueCoding: { system: 'http://loinc.org', code: 'LA32-8' } }] },
      { linkId: 'group', item: [{ linkId: 'which', answer: [{ valueCoding: { system: SNOMED, code: '25064002' } }] }, { linkId: 'pain', answer: [{ valueInteger: 7 }] }, { linkId: 'words', answer: [{ valueString: 'I am Jane' }] }] },
    ],
  }
  const mapped = map(answers)
  expect(eventsOf(mapped).map(one => one.event)).toMatchObject([
    { kind: 'symptom', system: 'https://example.org/q', code: 'chills', status: 'active' }, { code: 'cough', status: 'absent' }, { system: SNOMED, code: '25064002', status: 'active', statementId: 'QuestionnaireResponse/q|which|25064002' }, { code: 'pain', value: 7 },
  ])
  expect(mapped.notices.get('text-left-out')).toBe(1)
  expect(said({ ...answers, status: 'entered-in-error' })[0]).toMatchObject({ status: 'withdrawn' })
})

it('reads an imaging study by what was done, else its modality', () => {
  const study = { resourceType: 'ImagingStudy', id: 'i', status: 'available', subject, started: '2031-05-06T09:00:00Z', modality: [{ system: 'http://dicom.nema.org/resources/ontology/DCM', code: 'CT' }], numberOfInstances: 120 }
  expect(said(study)[0]).toMatchObject({ kind: 'imaging', status: 'completed', code: 'CT', value: 120 })
  expect(said({ ...study, procedureCode: [snomed('77477000')] })[0]).toMatchObject({ code: '77477000' })
})
