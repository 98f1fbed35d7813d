import { beforeEach, expect, it } from 'vitest'
import { alertsMachine, type AlertChange, type AlertInput, type AlertOutput, type AlertsState } from '../../../inference/alerts/index.ts'
import { KeyedMachine } from '../../../streams/engine/index.ts'
import { acknowledgement, encounter, namesOf, news2, news2Of, OPTIONS, risk, START, vitals } from './inputs.ts'

const S = 1_000
const M = 60 * S
const H = 60 * M
let ward: KeyedMachine<AlertsState, AlertInput, AlertOutput>
let changes: AlertChange[]
let open: readonly AlertChange[]
let offset: number

beforeEach(() => {
  ward = new KeyedMachine(alertsMachine(OPTIONS, namesOf))
  changes = []
  open = []
  offset = 0
})

const hear = ({ out }: { readonly out: AlertOutput }): void => {
  if (out.type === 'change') changes.push(out.change)
  if (out.type === 'open') open = out.alerts
}

/** Time passes up to `at` (ms after START), then comes `make(at)`. Answers what changed: `rule state@ms`. */
function after (at: number, make?: (at: number) => AlertInput): readonly string[] {
  const from = changes.length
  if (make === undefined) ward.tick(offset++, START + at, hear)
  else ward.record(offset++, START + at, 'patient', make(START + at), hear)
  return changes.slice(from).map(c => `${c.rule} ${c.state}@${c.changedAt - START}`)
}
const charted = (total: number) => (at: number): AlertInput => news2Of(total, at, 'charted')
const device = (total: number) => (at: number): AlertInput => news2Of(total, at, 'device')
const acknowledge = (): AlertInput => acknowledgement(changes.at(-1)!.alertId)

it('alerts on device numerics after the condition has held for ten seconds, to the millisecond', () => {
  expect(after(0, device(7))).toEqual([])
  expect(after(9_999)).toEqual([])
  expect(after(30 * S)).toEqual(['news2-emergency active@10000'])
})

it('forgets a condition on device numerics that passes within the dwell', () => {
  after(0, device(7))
  expect(after(5 * S, device(2))).toEqual([])
  expect(after(H)).toEqual([])
})

it('counts the dwell from the first reading that met the condition, and keeps its onset', () => {
  after(0, device(7))
  after(6 * S, device(8))
  expect(after(10 * S)).toEqual(['news2-emergency active@10000'])
  expect(changes.at(-1)).toMatchObject({ value: 8, onsetEventTime: START - S })
})

it('alerts on a charted set at once', () => { expect(after(0, charted(5))).toEqual(['news2-urgent active@0']) })
it('does not make a charted set wait for a dwell that device numerics began', () => {
  after(0, device(7))
  expect(after(3 * S, charted(7))).toEqual(['news2-emergency active@3000'])
})

it('alerts urgently on one red part although the sum is low', () => {
  expect(after(0, at => news2([3, 0, 0, 0, 0, 0, 0], at))).toEqual(['news2-urgent active@0'])
  expect(changes[0]).toMatchObject({ value: 3, threshold: 5, priority: 'medium' })
})

it('does not alert on four points without a red part', () => { expect(after(0, charted(4))).toEqual([]) })

it('keeps an urgent alert at one point below its threshold and clears it at two', () => {
  after(0, charted(5))
  expect(after(M, charted(4))).toEqual([])
  expect(open.map(a => a.rule)).toEqual(['news2-urgent'])
  expect(after(2 * M, charted(3))).toEqual(['news2-urgent cleared@120000'])
  expect(open).toEqual([])
})

it('tells another value of an active alert, and not the same one twice', () => {
  after(0, charted(5))
  expect(after(M, charted(6))).toEqual(['news2-urgent active@60000'])
  expect(after(2 * M, charted(6))).toEqual([])
})

it('latches an emergency until a person acknowledges', () => {
  after(0, charted(7))
  expect(after(M, charted(6))).toEqual([])
  expect(after(2 * M, charted(1))).toEqual(['news2-emergency latched@120000'])
  expect(after(5 * H)).toEqual([])
  expect(after(5 * H, acknowledge)).toEqual(['news2-emergency cleared@18000000'])
  expect(changes.at(-1)!.acknowledgedBy).toBe('nurse')
})

it('makes a latched emergency active again when the condition comes back', () => {
  after(0, charted(7))
  after(M, charted(1))
  expect(after(2 * M, charted(8))).toEqual(['news2-emergency active@120000'])
  expect(open).toHaveLength(1)
})

it('says who acknowledged, and keeps quiet for an hour', () => {
  after(0, charted(7))
  expect(after(M, acknowledge)).toEqual(['news2-emergency acknowledged@60000'])
  expect(open[0]).toMatchObject({ state: 'acknowledged', acknowledgedBy: 'nurse' })
  expect(after(M + H - 1, charted(8))).toEqual([])
})

it('speaks again an hour after the acknowledgement while the condition holds, as a new alert', () => {
  after(0, charted(7))
  after(M, acknowledge)
  expect(after(2 * H)).toEqual([`news2-emergency cleared@${H + M}`, `news2-emergency active@${H + M}`])
  expect(new Set(changes.map(c => c.alertId)).size).toBe(2)
})

it('speaks again at once when the score has risen by two points since the acknowledgement', () => {
  after(0, charted(7))
  after(M, acknowledge)
  expect(after(2 * M, charted(8))).toEqual([])
  expect(after(3 * M, charted(9))).toEqual(['news2-emergency cleared@180000', 'news2-emergency active@180000'])
})

it('clears an acknowledged alert when the condition has gone, without latching', () => {
  after(0, charted(7))
  after(M, acknowledge)
  expect(after(2 * M, charted(3))).toEqual(['news2-emergency cleared@120000'])
  expect(after(9 * H)).toEqual([])
})

it('ignores the acknowledgement of an alert that is not open, and a second one', () => {
  after(0, charted(7))
  expect(after(1, () => acknowledgement('unknown'))).toEqual([])
  after(2, acknowledge)
  expect(after(3, acknowledge)).toEqual([])
})

it('supersedes an urgent alert by an emergency, and says no urgent one beside it', () => {
  after(0, charted(5))
  expect(after(M, charted(7))).toEqual(['news2-emergency active@60000', 'news2-urgent cleared@60000'])
  expect(open.map(a => a.rule)).toEqual(['news2-emergency'])
  expect(after(2 * M, charted(8))).toEqual(['news2-emergency active@120000'])
})

it('raises the emergency alone where both rules wait out the same dwell', () => {
  after(0, device(7))
  expect(after(M)).toEqual(['news2-emergency active@10000'])
})

it('waits five minutes after a clear before device numerics raise the same rule again', () => {
  after(0, charted(5))
  after(M, charted(0))
  after(2 * M, device(5))
  expect(after(6 * M - 1)).toEqual([])
  expect(after(6 * M)).toEqual(['news2-urgent active@360000'])
})

it('does not make a charted set wait for the re-arm delay', () => {
  after(0, charted(5))
  after(M, charted(0))
  expect(after(2 * M, charted(5))).toEqual(['news2-urgent active@120000'])
})

it('alarms when a monitored patient has sent nothing for five minutes', () => {
  after(0, at => vitals(at, at))
  expect(after(5 * M - 1)).toEqual([])
  expect(after(7 * M)).toEqual(['no-data active@300000'])
  expect(changes.at(-1)).toMatchObject({ value: NaN, threshold: 300, priority: 'low', onsetEventTime: START })
})

it('clears the no-data alarm with the first fresh reading, and not with an old one', () => {
  after(0, at => vitals(at, at))
  after(6 * M)
  expect(after(7 * M, () => vitals(START + M, START + 7 * M))).toEqual([])
  expect(after(8 * M, at => vitals(at, at))).toEqual(['no-data cleared@480000'])
})

it('alarms at once, not in the past, when the first readings of a monitor are already too old', () => {
  expect(after(0, at => vitals(at - 10 * M, at))).toEqual(['no-data active@0'])
})

it('never alarms for silence where no monitor was connected', () => {
  after(0, at => vitals(at, at, 'charted'))
  expect(after(9 * H)).toEqual([])
})

it('clears everything at a discharge and is silent afterwards', () => {
  after(0, at => vitals(at, at))
  after(1, charted(7))
  after(2, at => risk(0.9, at))
  expect(after(M, () => encounter('discharge'))).toEqual(['news2-emergency cleared@60000', 'sepsis-risk cleared@60000'])
  expect(open).toEqual([])
  expect(after(2 * M, charted(9))).toEqual([])
  expect(after(9 * H)).toEqual([])
  expect(after(10 * H, () => encounter('admit'))).toEqual([])
  expect(after(10 * H + 1, charted(9))).toEqual([`news2-emergency active@${10 * H + 1}`])
})

it('takes NEWS2 with missing parts as a lower bound that may alert, and names the parts', () => {
  after(0, at => news2([3, 2, NaN, 2, NaN, NaN, 0], at))
  expect(changes).toHaveLength(1)
  expect(changes[0]).toMatchObject({ rule: 'news2-emergency', value: 7, missing: ['news2Oxygen', 'news2Pulse', 'news2Consciousness'], basis: 'news2@1' })
})

it('names the parts that gave points as reasons, the largest first, with what was measured', () => {
  after(0, at => news2([1, 0, 2, 3, 0, 0, 1], at))
  expect(changes[0]!.reasons).toEqual([
    { feature: 'news2Systolic', value: 103, contribution: 3, eventTime: START - S },
    { feature: 'news2Oxygen', value: 102, contribution: 2, eventTime: START - S },
    { feature: 'news2Respiration', value: 100, contribution: 1, eventTime: START - S },
    { feature: 'news2Temperature', value: 106, contribution: 1, eventTime: START - S },
  ])
})

it('says nothing of a NEWS2 without any part', () => { expect(after(0, at => news2([NaN, NaN, NaN, NaN, NaN, NaN, NaN], at))).toEqual([]) })

it('alerts on the model\'s risk at its threshold, and clears it at four fifths of it', () => {
  expect(after(0, at => risk(0.499, at))).toEqual([])
  expect(after(1, at => risk(0.5, at))).toEqual(['sepsis-risk active@1'])
  expect(after(2, at => risk(0.41, at))).toEqual([])
  expect(after(3, at => risk(0.39, at))).toEqual(['sepsis-risk cleared@3'])
})

it('gives the same alert ids in a replay, and others to another patient', () => {
  const live = (key: string): readonly string[] => {
    const machine = new KeyedMachine(alertsMachine(OPTIONS, namesOf))
    const ids: string[] = []
    machine.record(0, START, key, news2Of(7, START), ({ out }) => { if (out.type === 'change') ids.push(out.change.alertId) })
    return ids
  }
  expect(live('p')).toEqual(live('p'))
  expect(live('p')).not.toEqual(live('q'))
})
