import { featuresMachine, type FeatureOutput } from '../../../features/compute/index.ts'
import { STANDARD_VIEWS } from '../../../features/views/index.ts'
import { alertsMachine, type AlertInput, type AlertOptions, type AlertOutput, type ScoredVector } from '../../../inference/alerts/index.ts'
import { scoreBatch, type ServingModel } from '../../../inference/scoring/score-batch.ts'
import { KeyedMachine, type Emitted } from '../../../streams/engine/index.ts'
import { patientKeyOf, TOPICS, type BedsideEvent } from '../../../streams/events/index.ts'
import type { Leftovers } from './leftovers.ts'

/** One partition of an undisturbed run over the recorded events. */
export interface Calm {
  readonly features: readonly Emitted<FeatureOutput>[]
  readonly alerts: readonly Emitted<AlertOutput>[]
  /** What became of readings: added, replaced, withdrawn, duplicate, late. */
  readonly applied: ReadonlyMap<string, number>
}

interface Recorded { readonly offset: number, readonly timestamp: number, readonly key: string, readonly event: BedsideEvent }

/** Feeds a partition of `latido.events`, with its own times, into fresh machines in memory: nothing fails, nothing restarts, nothing is stored. */
export async function replayCalmly (left: Leftovers, partition: number, models: readonly ServingModel[], options: AlertOptions): Promise<Calm> {
  const applied = new Map<string, number>()
  const machine = new KeyedMachine(featuresMachine(STANDARD_VIEWS, a => { applied.set(a, (applied.get(a) ?? 0) + 1) }))
  const rounds: { readonly timestamp: number, readonly outputs: readonly Emitted<FeatureOutput>[] }[] = []
  for (const { offset, timestamp, key, event } of await recordedEvents(left, partition)) {
    const outputs: Emitted<FeatureOutput>[] = []
    if (event.type === 'tick') machine.tick(offset, timestamp, e => { outputs.push(e) })
    else machine.record(offset, timestamp, key, event, e => { outputs.push(e) })
    rounds.push({ timestamp, outputs })
  }
  return { features: rounds.flatMap(r => r.outputs), alerts: await replayAlerts(rounds, models, options), applied }
}

async function recordedEvents (left: Leftovers, partition: number): Promise<readonly Recorded[]> {
  const events: Recorded[] = []
  await left.walk(TOPICS.events, partition, record => {
    const decoded = left.codecs.decode(record)
    if (decoded.kind === 'refused') throw new Error(`a record of the log is refused: ${decoded.detail}`)
    events.push({ offset: record.offset, timestamp: record.timestamp, key: patientKeyOf(record), event: decoded.value })
  })
  return events
}

async function replayAlerts (rounds: readonly { readonly timestamp: number, readonly outputs: readonly Emitted<FeatureOutput>[] }[], models: readonly ServingModel[], options: AlertOptions): Promise<readonly Emitted<AlertOutput>[]> {
  const inputs = new Map<FeatureOutput, AlertInput>()
  for (const { out } of rounds.flatMap(r => r.outputs)) if (out.type !== 'arrival') inputs.set(out, out.type === 'vector' ? { type: 'scored', vector: out, score: undefined } : out)
  await scoreBatch(models, [...inputs.values()].filter((i): i is ScoredVector => i.type === 'scored'))
  const machine = new KeyedMachine(alertsMachine(options, (name, version) => STANDARD_VIEWS.find(v => v.name === name && v.version === version)?.names))
  const alerts: Emitted<AlertOutput>[] = []
  const collect = (e: Emitted<AlertOutput>): void => { alerts.push(e) }
  let offset = 0
  for (const { timestamp, outputs } of rounds) {
    for (const { key, at, out } of outputs) machine.record(offset++, at, key, inputs.get(out)!, collect)
    machine.tick(offset++, timestamp, collect)
  }
  return alerts
}
