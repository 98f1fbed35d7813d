import { BatchBuilder, BatchCursor } from '../../../streams/codec/index.ts'
import type { Outputs } from '../../../streams/engine/index.ts'
import type { RecordSink, Run } from '../../../streams/log/index.ts'
import { fixedSchemas } from '../../../streams/processors/index.ts'
import { oracle, Verdict } from './oracle.ts'
import { OBSERVATION, vitals, type Window } from './processor.ts'
import { encodeAll, PARTITIONS, SCHEMA_ID, workload, type Workload } from './workload.ts'

const RECORDS_A_BATCH = 1_000
const BATCHES_A_RUN = 8

/** The batches of each partition, as they stand in a log. */
export function batchesOf (w: Workload): readonly (readonly Buffer[])[] {
  const open = Array.from({ length: PARTITIONS }, () => ({ builder: new BatchBuilder(), base: 0, batches: [] as Buffer[] }))
  const flush = (p: (typeof open)[number]): void => {
    if (p.builder.count === 0) return
    p.batches.push(p.builder.finish(p.base, -1))
    p.base += p.builder.count
    p.builder.reset()
  }
  encodeAll(w, (i, partition, key, value, end) => {
    const p = open[partition]!
    p.builder.add(w.eventTime[i]!, key, 0, key.length, value, 0, end)
    if (p.builder.count === RECORDS_A_BATCH) flush(p)
  })
  return open.map(p => { flush(p); return p.batches })
}

/** The program alone: from batches in memory through the columns into sinks. Answers the CPU-seconds. */
export async function runAlone (batches: readonly (readonly Buffer[])[], window: Window, take?: (value: Buffer) => void): Promise<number> {
  const definition = await vitals('vitals-alone', 'in', 'out', window).open(fixedSchemas({ [SCHEMA_ID]: OBSERVATION }))
  const programs = batches.map((_, p) => definition.program(p, new Set()))
  const builder = new BatchBuilder()
  const sink: RecordSink = take === undefined ? builder : { add: (_t, _k, _ks, _ke, value, start, end) => { take(value.subarray(start, end)) } }
  const out: Outputs = () => sink
  const started = process.cpuUsage()
  for (let at = 0; batches.some(b => at < b.length); at += BATCHES_A_RUN) {
    for (const [partition, program] of programs.entries()) {
      const run: Run = { topic: 'in', partition, records: new BatchCursor(batches[partition]!.slice(at, at + BATCHES_A_RUN), 0), nextOffset: 0 }
      const batch = program.open(run, Number.MAX_SAFE_INTEGER)
      await batch.step(out)
      batch.write(out)
      if (builder.count > 0) { builder.finish(0, -1); builder.reset() }
    }
  }
  const { user, system } = process.cpuUsage(started)
  return (user + system) / 1e6
}

if (process.argv[1]?.endsWith('alone.ts') === true || process.argv[1]?.endsWith('alone.js') === true) {
  const w = workload(1_000, Number(process.argv[2] ?? 2_000_000))
  const batches = batchesOf(w)
  for (const window of ['hop', 'tumble'] as const) {
    const verdict = new Verdict(oracle(w, window))
    await runAlone(batches, window, value => { verdict.add(value) })
    process.stdout.write(`${window}: ${String(verdict)}\n`)
    for (let i = 0; i < 4; i++) {
      const seconds = await runAlone(batches, window)
      process.stdout.write(`${window}: ${Math.round(w.count / seconds)} events a CPU-second, ${(seconds / w.count * 1e9).toFixed(0)} ns an event\n`)
    }
  }
}
