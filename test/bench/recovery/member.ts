import { featuresProcessor } from '../../../features/processor.ts'
import { openEmbeddedOnlineStore } from '../../../features/online/index.ts'
import { openVectorCodec } from '../../../features/vector-codec.ts'
import { STANDARD_VIEWS } from '../../../features/views/index.ts'
import { partitionFor } from '../../../streams/codec/index.ts'
import { openSnapshotStore, openTopicSnapshots, snapshotTopic, startProcessor } from '../../../streams/engine/index.ts'
import { openEventCodecs, TOPICS, type ConceptId, type Observation, type ObservationKind, type ObservationSet } from '../../../streams/events/index.ts'
import { openEmbeddedLog, type OutRecord } from '../../../streams/log/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { SeededRandom } from '../../kit/random.ts'
import { benchBook, benchKafka, BENCH_TOPICS } from '../kafka/bench-log.ts'

/**
 * The features processor and its feed in one process: `member.ts live|again embedded|BOOTSTRAP DIRECTORY PATIENTS RATE`. `live` gives every
 * patient a state and then feeds until it is killed; `again` starts on what is left and says how long that took.
 */
const [mode = '', logName = '', directory = '', patients = '', rate = ''] = process.argv.slice(2)
const PATIENTS = Number(patients)
const RATE = Number(rate)
const PARTITIONS = 4
const SEED_ROUNDS = 20
const SLICE_MS = 20
const NUMERICS: readonly (readonly [ConceptId, number])[] = [['heartRate', 80], ['respiratoryRate', 16], ['spo2', 95], ['systolic', 120], ['diastolic', 70], ['meanPressure', 85]]
const LABS: readonly (readonly [ConceptId, number])[] = [['lactate', 1.5], ['creatinine', 1], ['ureaNitrogen', 18], ['wbc', 9], ['platelets', 220], ['hemoglobin', 12], ['sodium', 140], ['potassium', 4]]

const tell = (what: object): void => { process.stdout.write(`${JSON.stringify(what)}\n`) }
const stage = (name: string): void => { tell({ stage: name, sinceStartMs: process.uptime() * 1_000, cpuMs: (process.cpuUsage().user + process.cpuUsage().system) / 1_000 }) }

stage('loaded')
const onKafka = logName !== 'embedded'
await using log = onKafka ? await benchKafka(logName, 'direct') : await openEmbeddedLog({ directory: `${directory}/log`, clock: systemClock })
await log.ensureTopics(onKafka ? [...BENCH_TOPICS, snapshotTopic('latido-features', PARTITIONS)] : BENCH_TOPICS)
const book = await benchBook()
const codecs = await openEventCodecs(book)
await using online = openEmbeddedOnlineStore(`${directory}/online`)
await using snapshots = onKafka ? openTopicSnapshots({ log, clock: systemClock, directory: `${directory}/snapshots` }) : openSnapshotStore(`${directory}/snapshots`)
const definition = await featuresProcessor({ views: STANDARD_VIEWS, codecs, vectors: await openVectorCodec(book, TOPICS.features), online, ownsTicks: true, deadLetter: refused => ({ topic: TOPICS.deadLetters, key: null, value: refused.raw }) })
const ends = async (topic: string): Promise<number> => { let sum = 0; for (let partition = 0; partition < PARTITIONS; partition++) sum += (await log.range({ topic, partition })).end; return sum }
const before = await ends(TOPICS.features)
await using processor = await startProcessor(definition, { log, clock: systemClock, snapshots })
stage('joined')
const running = processor.run()
running.catch((e: unknown) => { tell({ failed: String(e) }); process.exit(1) })

const producer = log.producer()
const random = new SeededRandom(1)
const keys = Array.from({ length: PATIENTS }, (_, i) => Buffer.from(`patient-${String(i).padStart(6, '0')}`))
const places = keys.map(key => partitionFor(key, PARTITIONS))

function setOf (kind: ObservationKind, of: readonly (readonly [ConceptId, number])[], at: number): ObservationSet {
  return { type: 'observations', kind, source: 'bench', observations: of.map(([concept, mean]): Observation => ({ concept, value: mean * (0.9 + 0.2 * random.next()), comparator: '=', eventTime: at, status: 'final', quality: 'valid', resultId: kind === 'device' ? '' : `${at}|${concept}` })) }
}

async function send (from: number, count: number, kind: ObservationKind, of: readonly (readonly [ConceptId, number])[], at: number): Promise<void> {
  const slices = Array.from({ length: PARTITIONS }, (): OutRecord[] => [])
  for (let i = from; i < from + count; i++) slices[places[i % PATIENTS]!]!.push({ key: keys[i % PATIENTS]!, value: codecs.encode(setOf(kind, of, at)) })
  await Promise.all(slices.map((records, partition) => records.length === 0 ? undefined : producer.append({ topic: TOPICS.events, partition }, records)))
}

if (mode === 'live') {
  const end = systemClock.now()
  await send(0, PATIENTS, 'laboratory', LABS, end - 3_600_000)
  for (let round = 0; round < SEED_ROUNDS; round++) for (let from = 0; from < PATIENTS; from += 1_000) await send(from, Math.min(1_000, PATIENTS - from), 'device', NUMERICS, end - (SEED_ROUNDS - round) * 1_000)
  while (processor.statistics.records < PATIENTS * (SEED_ROUNDS + 1)) await systemClock.sleep(SLICE_MS)
  stage('seeded')
  const startedMs = systemClock.monotonicMs()
  for (let sent = 0; ;) {
    const due = Math.floor((systemClock.monotonicMs() - startedMs) / 1_000 * RATE)
    if (due > sent) await send(sent, due - sent, 'device', NUMERICS, systemClock.now())
    sent = Math.max(sent, due)
    await systemClock.sleep(SLICE_MS)
  }
}

await send(0, 16, 'charted', NUMERICS, systemClock.now())
while (await ends(TOPICS.features) === before) await systemClock.sleep(1)
stage('first output')
tell({ replayed: processor.statistics.replayed, keys: processor.statistics.keys, residentBytes: process.memoryUsage().rss })
process.exit(0)
