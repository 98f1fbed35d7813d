import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LatidoError } from '../../../streams/errors/index.ts'
import type { Log, OutRecord, TopicSpec } from '../../../streams/log/index.ts'
import { recordsOf } from '../../kit/read-topic.ts'
import { startKafka, until } from '../../kit/servers/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { benchKafka } from '../kafka/bench-log.ts'
import type { Benchmark, Measure } from '../measure.ts'
import { treeOf } from '../processes.ts'
import { oracle, Verdict, type Expected } from './oracle.ts'
import type { Window } from './processor.ts'
import { encodeAll, PARTITIONS, workload, type Workload } from './workload.ts'

const RUN_SH = fileURLToPath(new URL('run.sh', import.meta.url))
const READINGS_A_SECOND_OF_LENGTH = 6_000
const RECORDS_A_BATCH = 2_000
const DRAINED_WITHIN_MS = 180_000
const VISIBLE_WITHIN_MS = 20_000
const CASES = [
  { driver: 'direct', window: 'hop', target: '1000000' },
  { driver: 'direct', window: 'tumble', target: '1500000' },
  { driver: 'native', window: 'hop', target: '120000' },
] as const

/** `--seconds` is the length of the readings in event time: 333 of them, of 1,000 patients, are the two million of the table in docs/performance.md. */
export const vitals: Benchmark = {
  summary: 'windows over two million vitals on Kafka, exactly once, every window compared with the oracle',
  run: async ({ seconds = 333, runs = 3, say }) => {
    spawnSync(RUN_SH, { env: { ...process.env, BUILD_ONLY: '1' }, stdio: 'inherit' })
    await using kafka = await startKafka({ heap: '-Xmx1g' })
    await using log = await benchKafka(kafka.bootstrap, 'direct')
    const readings = workload(1_000, Math.round(seconds * READINGS_A_SECOND_OF_LENGTH))
    const input = topicOf('vitals-in')
    await log.ensureTopics([input])
    await fill(log, input.name, readings)
    const measures: Measure[] = []
    for (const { driver, window, target } of CASES) {
      const expected = oracle(readings, window)
      const values: number[] = []
      for (let run = 0; run < runs; run++) {
        const { cpuSeconds, drainSeconds } = await once({ log, bootstrap: kafka.bootstrap, input: input.name, count: readings.count, driver, window, expected })
        say(`${driver}, ${window}: ${expected.size} windows, exact; ${cpuSeconds.toFixed(2)} CPU-seconds, ${(cpuSeconds - drainSeconds).toFixed(2)} of them before the first record`)
        values.push(readings.count / cpuSeconds)
      }
      measures.push({ name: `vitals, ${driver}, ${window}, exactly once`, unit: 'events/CPU-s', values, target })
    }
    return measures
  },
}

interface Run { readonly log: Log, readonly bootstrap: string, readonly input: string, readonly count: number, readonly driver: string, readonly window: Window, readonly expected: ReadonlyMap<string, Expected> }

function topicOf (name: string): TopicSpec { return { name, partitions: PARTITIONS, timestamps: 'create', retentionMs: 0 } }

async function fill (log: Log, topic: string, readings: Workload): Promise<void> {
  const batches = Array.from({ length: PARTITIONS }, (): OutRecord[][] => [])
  encodeAll(readings, (i, partition, key, value, end) => {
    const mine = batches[partition]!
    if ((mine.at(-1)?.length ?? RECORDS_A_BATCH) === RECORDS_A_BATCH) mine.push([])
    mine.at(-1)!.push({ key, value: Buffer.from(value.subarray(0, end)), timestamp: readings.eventTime[i]! })
  })
  await using producer = log.producer()
  await Promise.all(batches.map(async (mine, partition) => { for (const records of mine) await producer.append({ topic, partition }, records) }))
}

async function once ({ log, bootstrap, input, driver, window, expected }: Run): Promise<{ readonly cpuSeconds: number, readonly drainSeconds: number }> {
  const name = `vitals-${randomUUID()}`
  const output = topicOf(`${name}-out`)
  await log.ensureTopics([output])
  const directory = tempDir()
  const engine = spawn(RUN_SH, ['--driver', driver, '--window', window, '--topic', input, '--out', output.name, '--group', name, '--bootstrap', bootstrap, '--state-dir', join(directory.path, 'state')], { stdio: ['ignore', 'pipe', 'inherit'] })
  const cpu = (): number => treeOf(engine.pid!)?.cpuSeconds ?? NaN
  const endEngine = (): void => { engine.kill('SIGKILL') }
  process.once('exit', endEngine)
  try {
    let before = NaN
    createInterface({ input: engine.stdout }).on('line', line => { if (line.startsWith('FIRST_RECORD')) before = cpu() })
    const ends = await Promise.all(Array.from({ length: PARTITIONS }, async (_, partition) => (await log.range({ topic: input, partition })).end))
    await until('the engine has read everything', DRAINED_WITHIN_MS, async () => {
      if (engine.exitCode !== null) throw new LatidoError('PAYLOAD_INVALID', `the engine ended with exit code ${engine.exitCode}`, 'read what it said above')
      const committed = await Promise.all(ends.map((_, partition) => log.committedOffset(name, { topic: input, partition })))
      return committed.every((offset, partition) => (offset ?? 0) >= ends[partition]!)
    })
    const cpuSeconds = cpu()
    await verify(log, output.name, expected)
    return { cpuSeconds, drainSeconds: cpuSeconds - before }
  } finally {
    engine.kill('SIGTERM')
    await until('the engine has stopped', 20_000, () => engine.exitCode !== null || engine.signalCode !== null).catch(endEngine)
    process.off('exit', endEngine)
    directory.remove()
  }
}

/** Throws where a window is missing, too many, twice, or differs. The offsets of a transaction may be seen a moment before its outputs. */
async function verify (log: Log, topic: string, expected: ReadonlyMap<string, Expected>): Promise<void> {
  let verdict = await read(log, topic, expected)
  await until('every window is there', VISIBLE_WITHIN_MS, async () => verdict.missing === 0 || (verdict = await read(log, topic, expected)).missing === 0).catch(() => {})
  if (!verdict.exact) throw new LatidoError('PAYLOAD_INVALID', `the windows are not those of the oracle: ${String(verdict)}`, 'nothing: a figure of a wrong result is none')
}

async function read (log: Log, topic: string, expected: ReadonlyMap<string, Expected>): Promise<Verdict> {
  const verdict = new Verdict(expected)
  for await (const { valueBuffer, valueStart, valueEnd } of recordsOf(log, topic)) verdict.add(valueBuffer.subarray(valueStart, valueEnd))
  return verdict
}
