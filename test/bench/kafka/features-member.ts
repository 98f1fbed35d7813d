import { featuresProcessor } from '../../../features/processor.ts'
import { openEmbeddedOnlineStore } from '../../../features/online/index.ts'
import { openVectorCodec } from '../../../features/vector-codec.ts'
import { STANDARD_VIEWS } from '../../../features/views/index.ts'
import { openSnapshotStore, startProcessor } from '../../../streams/engine/index.ts'
import { openEventCodecs, TOPICS } from '../../../streams/events/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { benchBook, benchKafka, BENCH_TOPICS } from './bench-log.ts'

/** One instance of the features processor on Kafka, as a process: `features-member.ts BOOTSTRAP DRIVER DIRECTORY`. Says READY, then its statistics each second. */
const [bootstrap = '', driver = 'direct', directory = ''] = process.argv.slice(2)

await using log = await benchKafka(bootstrap, driver)
await log.ensureTopics(BENCH_TOPICS)
const book = await benchBook()
const codecs = await openEventCodecs(book)
await using online = openEmbeddedOnlineStore(`${directory}/online`)
await using snapshots = openSnapshotStore(`${directory}/snapshots`)
const definition = await featuresProcessor({ views: STANDARD_VIEWS, codecs, vectors: await openVectorCodec(book, TOPICS.features), online, ownsTicks: true, deadLetter: refused => ({ topic: TOPICS.deadLetters, key: null, value: refused.raw }) })
await using processor = await startProcessor(definition, { log, clock: systemClock, snapshots, onChange: what => { process.stdout.write(`${JSON.stringify({ changed: what })}\n`) } })
process.on('SIGTERM', () => { void processor.stop() })
const running = processor.run()
process.stdout.write('READY\n')
const stopTelling = systemClock.every(1_000, () => { process.stdout.write(`${JSON.stringify({ ...processor.statistics, heap: process.memoryUsage().heapUsed, external: process.memoryUsage().external })}\n`) })
await running
stopTelling()
