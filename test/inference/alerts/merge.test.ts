import { expect, it } from 'vitest'
import { alertsMachine, MERGED_REASON, type AlertChange, type AlertInput, type AlertOutput } from '../../../inference/alerts/index.ts'
import { KeyedMachine } from '../../../streams/engine/index.ts'
import type { PatientKey } from '../../../streams/events/index.ts'
import { namesOf, news2Of, OPTIONS, START, vitals } from './inputs.ts'

const merge = (): AlertInput => ({ type: 'merge', survivor: 'survivor' as PatientKey, eventTime: START, source: 'merge' })

it('ends what is open with the reason when the patient goes on under another key, and is silent from then on', () => {
  const ward = new KeyedMachine(alertsMachine(OPTIONS, namesOf))
  const changes: AlertChange[] = []
  let open: readonly AlertChange[] = []
  const hear = ({ out }: { readonly out: AlertOutput }): void => {
    if (out.type === 'change') changes.push(out.change)
    if (out.type === 'open') open = out.alerts
  }
  ward.record(0, START, 'p', vitals(START, START), hear)
  ward.record(1, START + 1, 'p', news2Of(8, START + 1, 'charted'), hear)
  expect(open).toHaveLength(1)
  ward.record(2, START + 2, 'p', merge(), hear)
  expect(open).toEqual([])
  expect(changes.at(-1)).toMatchObject({ rule: 'news2-emergency', state: 'cleared', alertId: changes[0]!.alertId, reasons: [{ feature: MERGED_REASON }] })
  const said = changes.length
  ward.record(3, START + 3, 'p', news2Of(9, START + 3, 'charted'), hear)
  ward.tick(4, START + 86_400_000, hear) // nor is silence an alarm
  expect(changes.length).toBe(said)
})

it('says nothing of a patient who had no alert', () => {
  const ward = new KeyedMachine(alertsMachine(OPTIONS, namesOf))
  ward.record(0, START, 'p', merge(), () => { expect.unreachable() })
  expect(ward.earliestDue()).toBeUndefined()
})
