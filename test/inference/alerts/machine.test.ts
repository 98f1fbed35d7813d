import fc from 'fast-check'
import { alertsMachine, type AlertInput } from '../../../inference/alerts/index.ts'
import type { Trigger } from '../../../features/vector.ts'
import { KeyedMachine } from '../../../streams/engine/index.ts'
import { stateMachineSuite, type Moment, type Story } from '../../kit/state-machine-suite.ts'
import { acknowledgement, encounter, namesOf, news2Of, OPTIONS, risk, START, vitals } from './inputs.ts'

type Draw = { readonly key: string, readonly wait: number, readonly what: (at: number, open: readonly string[]) => AlertInput | undefined }

const trigger = fc.constantFrom<Trigger>('device', 'timer', 'charted', 'laboratory')
const what: fc.Arbitrary<Draw['what']> = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(fc.nat(12), trigger).map(([total, t]) => (at: number) => news2Of(total, at, t)) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom(0, 5_000, 200_000, 400_000), trigger).map(([lag, t]) => (at: number) => vitals(at - lag, at, t)) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom(0.3, 0.42, 0.5, 0.9), trigger).map(([p, t]) => (at: number) => risk(p, at, t)) },
  { weight: 2, arbitrary: fc.nat(3).map(n => (_: number, open: readonly string[]) => open.length === 0 ? undefined : acknowledgement(open[n % open.length]!)) },
  { weight: 1, arbitrary: fc.constantFrom('admit' as const, 'transfer' as const, 'discharge' as const).map(action => () => encounter(action)) },
)
const draw: fc.Arbitrary<Draw> = fc.record({ key: fc.constantFrom('p', 'q'), wait: fc.constantFrom(0, 1_000, 5_000, 10_000, 60_000, 300_000, 3_600_000), what })

/** People acknowledge what is open: the story is laid while it is lived. */
function lay (draws: readonly Draw[]): Story<AlertInput> {
  const engine = new KeyedMachine(alertsMachine(OPTIONS, namesOf))
  const open = new Map<string, readonly string[]>()
  let arrival = START
  const story: Moment<AlertInput>[] = []
  for (const { key, wait, what: make } of draws) {
    arrival += wait
    const value = make(arrival, open.get(key) ?? [])
    if (value === undefined) continue
    engine.record(story.length, arrival, key, value, e => { if (e.out.type === 'open') open.set(e.key, e.out.alerts.map(a => a.alertId)) })
    story.push({ arrival, key, value })
  }
  return story.length > 0 ? story : [{ arrival: START, key: null }]
}

stateMachineSuite({ name: 'alerts', machine: () => alertsMachine(OPTIONS, namesOf), stories: fc.array(draw, { minLength: 1, maxLength: 40 }).map(lay), runs: 150 })
