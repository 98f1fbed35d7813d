import { randomUUID } from 'node:crypto'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileEncoder, partitionFor } from '../../../streams/codec/index.ts'
import type { Log, OutRecord, TopicSpec } from '../../../streams/log/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { SeededRandom } from '../../kit/random.ts'
import { startKafka, until } from '../../kit/servers/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { quantile, type BenchOptions, type Benchmark, type Measure } from '../measure.ts'
import { treeOf } from '../processes.ts'
import { OBSERVATION } from '../vitals/processor.ts'
import { CODES, normal, PARTITIONS, patientName, SCHEMA_ID } from '../vitals/workload.ts'
import { benchKafka } from './bench-log.ts'

const RATE_PER_SECOND = 10_000
const PATIENTS = 1_000
const WARM_UP_MS = 5_000
const SLICE_MS = 2
const RUN_SH = fileURLToPath(new URL('../vitals/run.sh', import.meta.url))
const TARGETS = { 'exactly-once': ['10', '40'], 'at-least-once': ['3', '15'] } as const

/** Readings of 6,000 series at 10,000 a second; an alert at each crossing of a limit; from the producer's clock to a read_committed reader. */
export const latency: Benchmark = {
  summary: 'alert latency at 10,000 events a second on Kafka, exactly once and at least once',
  run: async options => {
    await using kafka = await startKafka({ heap: '-Xmx1g' })
    await using log = await benchKafka(kafka.bootstrap, 'direct')
    const measures: Measure[] = []
    for (const guarantee of ['exactly-once', 'at-least-once'] as const) {
      const found: number[][] = []
      const cores: number[] = []
      for (let run = 0; run < (options.runs ?? 1); run++) {
        const result = await once(log, kafka.bootstrap, guarantee, options)
        found.push(result.latenciesMs)
        cores.push(result.cores)
        options.say(`${guarantee}: ${result.latenciesMs.length} alerts, p50 ${quantile(result.latenciesMs, 0.5).toFixed(1)} ms, p99 ${quantile(result.latenciesMs, 0.99).toFixed(1)} ms; the feed fell behind by at most ${Math.round(result.worstLagMs)} ms`)
      }
      const [p50, p99] = TARGETS[guarantee]
      measures.push(
        { name: `alert latency, ${guarantee}, p50`, unit: 'ms', values: found.map(v => quantile(v, 0.5)), target: p50 },
        { name: `alert latency, ${guarantee}, p99`, unit: 'ms', values: found.map(v => quantile(v, 0.99)), target: p99 },
        { name: `alert latency, ${guarantee}, engine`, unit: 'cores', values: cores },
      )
    }
    return measures
  },
}

async function once (log: Log, bootstrap: string, guarantee: string, { seconds = 60 }: BenchOptions): Promise<{ readonly latenciesMs: number[], readonly cores: number, readonly worstLagMs: number }> {
  const name = `latency-${randomUUID()}`
  const topic = (suffix: string): TopicSpec => ({ name: `${name}-${suffix}`, partitions: PARTITIONS, timestamps: 'create', retentionMs: 0 })
  const [input, output, dead] = [topic('in'), topic('out'), { ...topic('dead'), name: `${name}.dead-letters` }]
  await log.ensureTopics([input, output, dead])
  const directory = tempDir()
  const engine = spawn(RUN_SH, ['--mode', 'alert', '--driver', 'direct', '--guarantee', guarantee, '--topic', input.name, '--out', output.name, '--group', name, '--bootstrap', bootstrap, '--state-dir', join(directory.path, 'state')], { stdio: ['ignore', 'pipe', 'inherit'] })
  const endEngine = (): void => { engine.kill('SIGKILL') }
  process.once('exit', endEngine)
  try {
    let ready = false
    createInterface({ input: engine.stdout }).on('line', line => { if (line === 'RUNNING') ready = true })
    await until('the engine runs', 120_000, () => ready)
    const cpu = treeOf(engine.pid!)?.cpuSeconds ?? NaN
    const startedMs = systemClock.monotonicMs()
    const feeding = feed(log, input.name, seconds)
    const latenciesMs = await watch(log, output.name, systemClock.now() + WARM_UP_MS, feeding)
    const wallSeconds = (systemClock.monotonicMs() - startedMs) / 1_000
    return { latenciesMs, cores: ((treeOf(engine.pid!)?.cpuSeconds ?? NaN) - cpu) / wallSeconds, worstLagMs: await feeding }
  } finally {
    engine.kill('SIGTERM')
    await until('the engine has stopped', 20_000, () => engine.exitCode !== null || engine.signalCode !== null).catch(endEngine)
    process.off('exit', endEngine)
    directory.remove()
  }
}

/** Answers how far it fell behind its rate at worst, in milliseconds. */
async function feed (log: Log, topic: string, seconds: number): Promise<number> {
  await using producer = log.producer()
  const random = new SeededRandom(1)
  const encoder = new (compileEncoder(OBSERVATION))()
  const keys = Array.from({ length: PATIENTS }, (_, i) => Buffer.from(patientName(i)))
  const places = keys.map(key => partitionFor(key, PARTITIONS))
  const total = RATE_PER_SECOND * seconds
  const startedMs = systemClock.monotonicMs()
  const sending = new Set<Promise<unknown>>()
  let worstLagMs = 0
  for (let sent = 0; sent < total;) {
    const due = Math.min(total, Math.floor((systemClock.monotonicMs() - startedMs) / 1_000 * RATE_PER_SECOND))
    worstLagMs = Math.max(worstLagMs, (due - sent) / RATE_PER_SECOND * 1_000)
    const slices = Array.from({ length: PARTITIONS }, (): OutRecord[] => [])
    for (; sent < due; sent++) {
      const series = sent % (PATIENTS * CODES.length)
      const patient = Math.floor(series / CODES.length)
      const [code, unit, mean, deviation] = CODES[series % CODES.length]!
      const at = systemClock.now()
      const value = Math.round((mean + deviation * normal(random)) * 10) / 10
      encoder.begin(SCHEMA_ID).patientId(patientName(patient)).code(code).value(value).unit(unit).eventTime(at).source('icu-gw-1')
      const end = encoder.finish()
      slices[places[patient]!]!.push({ key: keys[patient]!, value: Buffer.from(encoder.buffer.subarray(0, end)), timestamp: at })
    }
    for (const [partition, records] of slices.entries()) {
      if (records.length === 0) continue
      const done = producer.append({ topic, partition }, records).finally(() => sending.delete(done))
      sending.add(done)
    }
    await systemClock.sleep(SLICE_MS)
  }
  await Promise.all(sending)
  return worstLagMs
}

/** Latencies of the alerts on readings after `fromMs`, until the feed has ended and nothing more comes. */
async function watch (log: Log, topic: string, fromMs: number, feeding: Promise<unknown>): Promise<number[]> {
  const latenciesMs: number[] = []
  let fed = false
  void feeding.finally(() => { fed = true })
  await using consumer = log.consumer({ group: `watch-${randomUUID()}`, instance: randomUUID(), topics: [topic], from: 'earliest' })
  for (let quiet = 0; !fed || quiet < 5;) {
    const runs = await consumer.poll(200)
    const now = systemClock.now()
    quiet = runs.length === 0 ? quiet + 1 : 0
    for (const { records: r } of runs) {
      while (r.next()) {
        const { t } = JSON.parse(r.valueBuffer.toString('utf8', r.valueStart, r.valueEnd)) as { readonly t: number }
        if (t >= fromMs) latenciesMs.push(now - t)
      }
    }
  }
  return latenciesMs
}

/** Box and Muller. */
