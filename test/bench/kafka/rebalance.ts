import { join } from 'node:path'
import { systemClock } from '../../../streams/time/index.ts'
import { until } from '../../kit/servers/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { quantile, type Benchmark, type Measure } from '../measure.ts'
import { MemberProcess } from './member-process.ts'
import { feedWard } from './ward-feed.ts'
import { withKafka } from './ward.ts'
import { Watch } from './watch.ts'

const BEDS = 1_000
/** Outputs of a partition come so close together that a longer silence is a pause. */
const SETTLE_MS = 4_000
const WITHIN_MS = 30_000

/** How long a partition is silent when an instance joins, leaves in good order, or is killed. 1,000 beds, two instances; the test broker's session timeout is 3 s. */
export const rebalance: Benchmark = {
  summary: 'pause of a moved partition: join, leave, kill',
  run: async ({ runs = 5, say }) => await withKafka(async ({ bootstrap, log, codecs }) => {
    const directory = tempDir()
    let members = 0
    const member = (): Promise<MemberProcess> => new MemberProcess(bootstrap, 'direct', join(directory.path, `member-${++members}`), say).untilReady()
    try {
      const one = await member()
      await using watch = new Watch(log, codecs)
      const feed = feedWard(log, codecs, BEDS)
      await until('vectors of each partition', WITHIN_MS, () => watch.heardAll())
      const pauses = { calm: [] as number[], join: [] as number[], leave: [] as number[], kill: [] as number[] }
      for (let run = 0; run < runs; run++) {
        pauses.calm.push(...await pausesOf(watch, () => Promise.resolve()))
        const two: { member?: MemberProcess } = {}
        pauses.join.push(...await pausesOf(watch, async () => { two.member = await member() }))
        pauses.leave.push(...await pausesOf(watch, () => two.member!.stop()))
        const three = await member()
        await systemClock.sleep(SETTLE_MS)
        pauses.kill.push(...await pausesOf(watch, () => { three.kill(); return Promise.resolve() }, 8_000))
        say(`run ${run + 1}: longest pause in ms: join ${Math.round(Math.max(...pauses.join))}, leave ${Math.round(Math.max(...pauses.leave))}, kill ${Math.round(Math.max(...pauses.kill))}`)
      }
      await feed.stop()
      await one.stop()
      return measures(pauses)
    } finally {
      directory.remove()
    }
  }),
}

/** The longest silence of each partition around a change, once all speak again. */
async function pausesOf (watch: Watch, change: () => Promise<void>, settleMs: number = SETTLE_MS): Promise<readonly number[]> {
  watch.mark()
  await change()
  await systemClock.sleep(settleMs)
  await until('all partitions speak again', WITHIN_MS, () => watch.speaking())
  return watch.gapsMs()
}

function measures (pauses: { readonly calm: readonly number[], readonly join: readonly number[], readonly leave: readonly number[], readonly kill: readonly number[] }): readonly Measure[] {
  const worst = (values: readonly number[], q: number): readonly number[] => [quantile(values, q)]
  return [
    { name: 'silence of a partition, nothing happens, p99', unit: 'ms', values: worst(pauses.calm, 0.99) },
    { name: 'instance joins, pause of a partition, p99', unit: 'ms', values: worst(pauses.join, 0.99), target: '1000' },
    { name: 'instance leaves in good order, pause, p99', unit: 'ms', values: worst(pauses.leave, 0.99), target: '1000' },
    { name: 'instance killed, pause, p99', unit: 'ms', values: worst(pauses.kill, 0.99), target: '5000' },
  ]
}

