/** `node --import tsx writer-child.ts DIRECTORY SEED STEPS`: a log that is written in every way that there is. Notes what it asks for and what is promised, in the file `story` beside it. */
import { mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { openEmbeddedLog } from '../../../../streams/log/index.ts'
import { ManualClock } from '../../../../streams/time/index.ts'
import { SeededRandom } from '../../../kit/random.ts'
import { GROUP, TOPICS, valueAt, type Standing } from './story.ts'

const [directory = '', seed = '1', steps = '100'] = process.argv.slice(2)
mkdirSync(directory, { recursive: true })
setInterval(() => {}, 2 ** 30)
const story = openSync(join(directory, 'story'), 'w')
const acknowledged = [0, 0, 0]
const asked = [0, 0, 0]
const tell = (open: boolean): void => { writeSync(story, `${JSON.stringify({ acknowledged, asked, open } satisfies Standing)}\n`) }
tell(false)
const clock = new ManualClock(1_000)
const log = await openEmbeddedLog({ directory: join(directory, 'log'), clock, sessionTimeoutMs: 1e12 })
await log.ensureTopics(TOPICS)
tell(true)
const random = new SeededRandom(Number(seed))
const producer = log.producer()
const consumer = log.consumer({ group: GROUP, instance: 'a', topics: ['in'], from: 'earliest' })
await consumer.poll(0)
const transactional = await log.transactionalProducer('t')

async function append (partition: number): Promise<void> {
  const offset = asked[partition]!++
  tell(true)
  await producer.append({ topic: 'in', partition }, [{ key: null, value: valueAt('in', partition, offset) }])
  acknowledged[partition] = Math.max(acknowledged[partition]!, offset + 1)
  tell(true)
}

async function commit (): Promise<void> {
  const offset = asked[2]!++
  tell(true)
  transactional.append({ topic: 'out', partition: 0 }, [{ key: null, value: valueAt('out', 0, offset), timestamp: 5 }])
  await transactional.commit(consumer.metadata, [{ topic: 'in', partition: 0, offset: offset + 1 }])
  acknowledged[2] = offset + 1
  tell(true)
}

for (let step = 0; step < Number(steps); step++) {
  const what = random.below(20)
  if (what < 10) await append(random.below(2))
  else if (what < 13) await Promise.all(Array.from({ length: 1 + random.below(12) }, () => append(random.below(2))))
  else if (what < 18) await commit()
  else if (what < 19) { clock.set(clock.now() + 5_000); await log.enforceRetention() }
  else clock.set(clock.now() + random.below(20_000))
}
process.exit(0) // without closing: what LMDB lacks stays in the journal
