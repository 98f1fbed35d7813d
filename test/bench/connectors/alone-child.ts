import { createHmac } from 'node:crypto'
import { join } from 'node:path'
import { hl7Mapper, startHl7 } from '../../../connectors/hl7/index.ts'
import { Feed, fixedMapping, openIntake } from '../../../connectors/kit/index.ts'
import { openEventCodecs, SchemaBook, TOPICS, topicSpecs, type PatientKey } from '../../../streams/events/index.ts'
import { openEmbeddedLog, type Log } from '../../../streams/log/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import type { EventCodecs } from '../../../streams/events/index.ts'
import { observationsOf } from '../../kit/read-topic.ts'

/** The HL7 connector, the intake and the embedded log, and nothing else, in the directory of the first argument. `check` on its input answers what the log has; the end of the input ends it. */
const directory = process.argv[2] ?? ''
const log = await openEmbeddedLog({ directory: join(directory, 'log'), clock: systemClock })
await log.ensureTopics(topicSpecs({ partitions: 4, retentionMs: 0 }))
const codecs = await openEventCodecs(await SchemaBook.open({ url: 'mock://', storage: { load: () => [], add: () => Promise.resolve() } }))
const identify = ({ id }: { readonly id: string }): Promise<PatientKey> => Promise.resolve(createHmac('sha256', 'bench').update(id).digest('base64url').slice(0, 22) as PatientKey)
const intake = await openIntake({ log, codecs, clock: systemClock, directory: join(directory, 'intake'), sealer: { seal: b => b, open: b => b }, identify })
const feed = new Feed({ name: 'hl7', kind: 'hl7', intake, mapping: fixedMapping(), map: hl7Mapper() })
const connector = await startHl7({ host: '127.0.0.1', port: 0, feed, clock: systemClock, limits: { connectionsMax: 256 } })
process.stdout.write(`${connector.endpoint.split(':').at(-1)}\n`)

process.stdin.on('data', () => { void check(log, codecs).then(found => { process.stdout.write(`${JSON.stringify(found)}\n`) }) })
process.stdin.once('end', () => { void close() })

async function close (): Promise<void> {
  await connector[Symbol.asyncDispose]()
  await intake[Symbol.asyncDispose]()
  await log[Symbol.asyncDispose]()
  process.exit(0)
}

/** Messages named `name/number`: how many, how often one is there twice, and how often one stands in a partition behind a later one of its name. */
async function check (of: Log, by: EventCodecs): Promise<{ readonly messages: number, readonly twice: number, readonly reordered: number }> {
  const seen = new Set<string>()
  let twice = 0
  let reordered = 0
  for (let partition = 0; partition < of.partitionsOf(TOPICS.events); partition++) {
    const last = new Map<string, number>()
    for await (const { observations: [first] } of observationsOf(of, by, partition)) {
      const id = first?.resultId.split('|')[0] ?? ''
      const [name = '', number] = id.split('/')
      if (seen.has(id)) twice++
      if (Number(number) < (last.get(name) ?? -1)) reordered++
      seen.add(id)
      last.set(name, Number(number))
    }
  }
  return { messages: seen.size, twice, reordered }
}
