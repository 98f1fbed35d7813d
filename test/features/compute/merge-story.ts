import { featuresMachine, type FeatureOutput } from '../../../features/compute/index.ts'
import type { FeatureView } from '../../../features/define/index.ts'
import { KeyedMachine, type Emitted, type Transfer } from '../../../streams/engine/index.ts'
import type { Happening } from './lattice.ts'
import { Oracle } from './oracle.ts'
import { differences } from './run-story.ts'

/** Which of two patients each happening is of, where they are found to be one, and what comes after. */
export interface MergeStory { readonly story: readonly Happening[], readonly mine: readonly boolean[], readonly mergedAfter: number }

/** Two patients, one of whom is merged into the other somewhere; every vector of the survivor from then on is compared with the oracle's. */
export function compareMerge (view: FeatureView, { story, mine, mergedAfter }: MergeStory): number {
  const machine = new KeyedMachine(featuresMachine([view]))
  const survivor = new Oracle()
  const loser = new Oracle()
  const cut = Math.min(mergedAfter, story.length)
  let merged = false
  let compared = 0
  let offset = 0
  let clock = 0
  const check = (e: Emitted<FeatureOutput>): void => {
    if (!merged || e.key !== 'survivor' || e.out.type !== 'vector') return
    compared++
    const wrong = differences(view, survivor, e)
    if (wrong.length > 0) throw new Error(`${wrong.length} features differ after the merge: ${wrong.slice(0, 3).join('\n')}`)
  }
  const merge = (): void => {
    let transfer: Transfer | undefined
    machine.merge(offset++, clock, 'loser', 'survivor', check, move => { if (move.kind === 'transfer') transfer = move.transfer })
    survivor.merge(offset, clock, loser)
    merged = true
    machine.transfer(offset++, clock, transfer!, check)
  }
  story.forEach(({ arrival, event }, i) => {
    if (i === cut) merge()
    clock = arrival
    const whose = merged || mine[i % mine.length] === true ? survivor : loser
    if (event === undefined) { machine.tick(offset++, arrival, check); return }
    whose.record(offset, arrival, event)
    machine.record(offset++, arrival, whose === survivor ? 'survivor' : 'loser', event, check)
  })
  if (!merged) merge()
  return compared
}
