import { openEventCodecs, type EventCodecs } from '../../../streams/events/index.ts'
import type { Log } from '../../../streams/log/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { startKafka, until } from '../../kit/servers/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { quantile, type BenchOptions, type Benchmark, type Measure } from '../measure.ts'
import { BENCH_TOPICS, benchBook, benchKafka } from './bench-log.ts'
import { MemberProcess } from './member-process.ts'
import { feedWard } from './ward-feed.ts'
import { Watch } from './watch.ts'

const BEDS = 10_000
const WARM_UP_MS = 15_000
const SAMPLE_MS = 5_000
const MB = 1 << 20

/** A broker, its topics, and a log to feed and to watch it by. */
export async function withKafka<T> (run: (parts: { readonly bootstrap: string, readonly log: Log, readonly codecs: EventCodecs }) => Promise<T>): Promise<T> {
  await using kafka = await startKafka({ heap: '-Xmx1g' })
  await using log = await benchKafka(kafka.bootstrap, 'direct')
  await log.ensureTopics(BENCH_TOPICS)
  return await run({ bootstrap: kafka.bootstrap, log, codecs: await openEventCodecs(await benchBook()) })
}

/** 10,000 beds with six numerics a second, the standard views, exactly once, one instance: `--seconds 1800` shows whether it grows. */
export const ward: Benchmark = {
  summary: 'a ward of 10,000 beds on Kafka, one instance, exactly once',
  run: async options => await withKafka(async ({ bootstrap, log, codecs }) => {
    const directory = tempDir()
    try {
      return await measureWard(options, { bootstrap, log, codecs, directory: directory.path })
    } finally {
      directory.remove()
    }
  }),
}

async function measureWard ({ seconds = 60, say }: BenchOptions, { bootstrap, log, codecs, directory }: { readonly bootstrap: string, readonly log: Log, readonly codecs: EventCodecs, readonly directory: string }): Promise<readonly Measure[]> {
  await using member = await new MemberProcess(bootstrap, 'direct', directory, say).untilReady()
  await using watch = new Watch(log, codecs)
  const feed = feedWard(log, codecs, BEDS)
  await until('vectors of each partition', 60_000, () => watch.heardAll())
  await systemClock.sleep(WARM_UP_MS)
  watch.counting = true
  const [cpu, records, vectors, startedMs] = [member.cpuSeconds(), member.statistics.records, watch.vectors, systemClock.monotonicMs()]
  const resident: number[] = []
  for (let elapsed = 0; elapsed < seconds * 1_000; elapsed = systemClock.monotonicMs() - startedMs) {
    await systemClock.sleep(Math.min(SAMPLE_MS, seconds * 1_000 - elapsed))
    resident.push(member.residentBytes() / MB)
    say(`${member.statistics.records} records, ${watch.vectors} vectors, ${Math.round(resident.at(-1)!)} MB, p99 ${quantile(watch.latenciesMs.slice(-20_000), 0.99)} ms`)
  }
  const wallSeconds = (systemClock.monotonicMs() - startedMs) / 1_000
  const cores = (member.cpuSeconds() - cpu) / wallSeconds
  const processed = (member.statistics.records - records) / wallSeconds
  await feed.stop()
  say(`the feed fell behind by at most ${Math.round(feed.worstLagMs)} ms`)
  return [
    { name: 'ward, records processed', unit: 'records/s', values: [processed], target: String(BEDS) },
    { name: 'ward, vectors', unit: 'vectors/s', values: [(watch.vectors - vectors) / wallSeconds] },
    { name: 'ward, processor time of the instance', unit: 'cores', values: [cores], target: '1' },
    { name: 'ward, append to feature seen, p50', unit: 'ms', values: [quantile(watch.latenciesMs, 0.5)] },
    { name: 'ward, append to feature seen, p99', unit: 'ms', values: [quantile(watch.latenciesMs, 0.99)], target: '250' },
    { name: 'ward, resident memory, first quarter', unit: 'MB', values: resident.slice(0, Math.ceil(resident.length / 4)) },
    { name: 'ward, resident memory, last quarter', unit: 'MB', values: resident.slice(-Math.ceil(resident.length / 4)), target: '1200' },
  ]
}
