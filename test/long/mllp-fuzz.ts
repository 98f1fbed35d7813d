/**
 * The long lane of the MLLP listener: frames cut, merged and mutated at random over real sockets, each answer compared with a naive twin, memory after
 * garbage collection bounded. `node --import tsx test/long/mllp-fuzz.ts [--frames 1000000] [--seed 1] [--connections 12]`. Ends with 1 at the first difference, and prints the seed.
 */
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { systemClock } from '../../streams/time/index.ts'
import { fuzzMllp } from '../connectors/hl7/fuzz/run.ts'

const { values } = parseArgs({ options: { frames: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' }, connections: { type: 'string', default: '12' } } })
const [frames, seed, connections] = [Number(values.frames), Number(values.seed), Number(values.connections)]

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const MB = 1024 * 1024
/** Above what was held once everything was warm. */
const GROWTH_MB_MAX = 48

let next = frames / 10
let warmMb = 0
let heapMb = 0
function heap (done: number): void {
  if (done < next) return
  next += frames / 10
  collect()
  heapMb = process.memoryUsage().heapUsed / MB
  if (warmMb === 0) warmMb = heapMb
  console.log(`${done} frames, ${Math.round((systemClock.monotonicMs() - startedMs) / 1000)} s, heap ${heapMb.toFixed(1)} MB, rss ${(process.memoryUsage().rss / MB).toFixed(0)} MB`)
}

const startedMs = systemClock.monotonicMs()
try {
  const result = await fuzzMllp({ frames, seed, connections, deadlineMs: 120_000, progress: heap })
  const seconds = (systemClock.monotonicMs() - startedMs) / 1000
  console.log(`${result.frames} frames (seed ${seed}${result.corpus ? '' : ', without the public corpus'}) on ${result.connections} connections, ${result.owed} owed an answer and answered, ${Math.round(result.frames / seconds)} frames/s`)
  console.log('answers:', JSON.stringify(result.codes))
  console.log('counted:', JSON.stringify(Object.fromEntries([...result.counts].sort(([, a], [, b]) => b - a))))
  const faults = [...result.counts.keys()].filter(what => /failure|step-failed|timeouts|listener/.test(what))
  if (faults.length > 0) throw new Error(`faults of ours: ${faults.join(', ')}`)
  if (heapMb - warmMb > GROWTH_MB_MAX) throw new Error(`the heap grew from ${warmMb.toFixed(1)} to ${heapMb.toFixed(1)} MB`)
} catch (e) {
  console.error(e)
  process.exitCode = 1
}
