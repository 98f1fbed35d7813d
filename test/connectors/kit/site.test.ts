import { expect, it } from 'vitest'
import { Feed, fixedMapping, PLAIN_MAPPING, type MessageMapper } from '../../../connectors/kit/index.ts'
import { FakeIntake } from './fake-intake.ts'

/** An admission to ward ICU, bed 1; or, for `who`, an update of whoever lies there. */
const map: MessageMapper = (raw, context) => {
  const patient = raw.toString() === 'who' ? context.patientInBed('ICU', '1') : 'anna'
  if (patient === undefined) return { kind: 'rejected', source: 'toy:a', fault: { cause: 'device-unmapped', detail: 'nobody' }, notices: new Map() }
  return {
    kind: 'mapped', source: 'toy:a', id: raw.toString(), content: raw, refused: [], notices: new Map(),
    events: [{ patient: { id: patient }, event: { type: 'encounter', action: 'admit', eventTime: 1, source: 'toy:a', ward: 'ICU', bed: '1', ageYears: -1, sex: 'unknown', hoursSinceHospitalAdmission: -1 } }],
  }
}

it('two sites may both have an ICU: a feed\'s wards are its site\'s, when it admits and when it asks who lies there', async () => {
  const intake = new FakeIntake()
  const feed = (site: string): Feed => new Feed({ name: 'toy', kind: 'toy', intake, mapping: fixedMapping({ ...PLAIN_MAPPING, site }), map })
  await feed('north').take(Buffer.from('admit'))
  await feed('').take(Buffer.from('admit here'))
  expect(intake.published.map(({ event }) => event.type === 'encounter' ? event.ward : '')).toEqual(['north.ICU', 'ICU'])
  intake.beds.set('north.ICU|1', 'ben')
  expect((await feed('north').take(Buffer.from('who'))).kind).toBe('taken')
  expect((await feed('south').take(Buffer.from('who'))).kind).toBe('refused')
})
