import { featuresMachine, type FeatureOutput } from '../../../features/compute/index.ts'
import type { FeatureView } from '../../../features/define/index.ts'
import { KeyedMachine, type Emitted } from '../../../streams/engine/index.ts'
import { agrees } from './every-feature.ts'
import type { Happening } from './lattice.ts'
import { Oracle } from './oracle.ts'

/** Says where a vector is not what the oracle knows; nothing where it is. */
export function differences (view: FeatureView, oracle: Oracle, { out, at, through }: Emitted<FeatureOutput>): readonly string[] {
  if (out.type !== 'vector') return []
  if (out.asOf !== at) return [`asOf ${out.asOf} instead of ${at}`]
  const known = oracle.at(at, through)
  return view.expressions.flatMap((e, i) => {
    const expected = known.answer(e)
    return agrees(e, out.values[i]!, expected.value) && Object.is(out.times[i], expected.time) ? [] : [`${JSON.stringify(e)} as of ${at} through ${through}: ${out.values[i]} at ${out.times[i]}, expected ${expected.value} at ${expected.time}`]
  })
}

/** Runs a patient through the machine and, of every `every`-th vector and the last one, compares each feature with the oracle's. Answers how many it compared. */
export function compareStory (view: FeatureView, story: readonly Happening[], every: number = 1): number {
  const machine = new KeyedMachine(featuresMachine([view]))
  const oracle = new Oracle()
  let vectors = 0
  let compared = 0
  let last: Emitted<FeatureOutput> | undefined
  const check = (e: Emitted<FeatureOutput>): void => {
    if (e.out.type !== 'vector') return
    last = e
    if (vectors++ % every === 0) fail(e)
  }
  const fail = (e: Emitted<FeatureOutput>): void => {
    compared++
    const wrong = differences(view, oracle, e)
    if (wrong.length > 0) throw new Error(`${wrong.length} features differ: ${wrong.slice(0, 3).join('\n')}`)
  }
  story.forEach(({ arrival, event }, offset) => {
    if (event !== undefined) oracle.record(offset, arrival, event)
    if (event === undefined) machine.tick(offset, arrival, check)
    else machine.record(offset, arrival, 'p', event, check)
  })
  if (last !== undefined) fail(last)
  return compared
}
