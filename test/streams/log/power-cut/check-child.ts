/**
 * `node --import tsx check-child.ts DIRECTORY DISK JSON`: makes images of the disk at moments of the recording, opens a log on each and says in one line what is wrong with it, or `ok`.
 * A process of its own: a damaged store might end it.
 */
import { closeSync, existsSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { openEmbeddedLog, type Log } from '../../../../streams/log/index.ts'
import { ManualClock } from '../../../../streams/time/index.ts'
import { SeededRandom } from '../../../kit/random.ts'
import { drain } from '../contract.ts'
import { Disk, ENDS, type Forgets } from './disk.ts'
import { readRecording, type Asked } from './recording.ts'
import { GROUP, TOPICS, valueAt, type Standing } from './story.ts'

export interface Checking { readonly seed: number, readonly images: number, readonly forgets: Forgets, readonly moments: 'all' | 'first' }

const [directory = '', recordedIn = '', what = '{}'] = process.argv.slice(2)
const { seed, images, forgets, moments: where } = JSON.parse(what) as Checking
const forever = setInterval(() => {}, 2 ** 30)
const random = new SeededRandom(seed)
const all = readRecording(join(directory, 'recording'), recordedIn)
// A fifth of them in the first moments, or all: a store that is being made.
const moments = Array.from({ length: images }, () => random.below(where === 'first' ? Math.min(30, all.length) : random.chance(0.2) ? Math.min(60, all.length) : all.length)).sort((a, b) => a - b)
const disk = new Disk(forgets)
const storyFiles = new Set<number>()
let standing: Standing = { acknowledged: [0, 0, 0], asked: [0, 0, 0], open: false }
let done = 0
for (const [n, moment] of moments.entries()) {
  while (done <= moment) take(all[done++]!)
  const end = ENDS[random.below(ENDS.length)]!
  const image = join(directory, 'image')
  disk.image(image, end, random)
  const file = join(image, 'log', 'data.mdb')
  if (end !== 'kill' && existsSync(file)) startMachineAnew(file)
  const wrong = await check(join(image, 'log'), standing)
  process.stdout.write(`image ${n} at ${moment} of ${all.length} (${end}): ${wrong ?? 'ok'}\n`)
  rmSync(image, { recursive: true, force: true })
}
clearInterval(forever)

/** What was promised stands in a file of its own, which is no part of the disk. */
function take (asked: Asked): void {
  if (asked.kind === 'opened' && asked.path === 'story') storyFiles.add(asked.file)
  if (!('file' in asked) || !storyFiles.has(asked.file)) { disk.apply(asked); return }
  if (asked.kind === 'write') standing = JSON.parse(asked.bytes.toString()) as Standing
}

/** LMDB notes in each root which start of the machine wrote it. */
function startMachineAnew (path: string): void {
  const file = openSync(path, 'r+')
  const boot = Buffer.alloc(8)
  for (const root of [0, 2_048, 4_096]) {
    if (readSync(file, boot, 0, 8, root + 160) === 8 && boot.readBigInt64LE() !== 0n) { boot[0]! ^= 1; writeSync(file, boot, 0, 8, root + 160) }
  }
  closeSync(file)
}

async function check (path: string, { acknowledged, asked, open }: Standing): Promise<string | undefined> {
  let log: Log | undefined
  try {
    log = await openEmbeddedLog({ directory: path, clock: new ManualClock(1_000) })
    const [outTopic] = log.topics().filter(({ name }) => name === 'out')
    if (open && outTopic === undefined) return 'a topic is lost'
    await log.ensureTopics(TOPICS)
    for (const [i, of] of [{ topic: 'in', partition: 0 }, { topic: 'in', partition: 1 }, { topic: 'out', partition: 0 }].entries()) {
      const { start, end } = await log.range(of)
      if (end < acknowledged[i]!) return `${of.topic}/${of.partition} ends at ${end}, and ${acknowledged[i]} were acknowledged`
      if (end > asked[i]!) return `${of.topic}/${of.partition} ends at ${end}, and ${asked[i]} were asked for`
      let next = start
      const reader = log.reader(of, start)
      for (let run = await reader.next(); run !== undefined; run = await reader.next()) {
        for (const { value, offset } of drain([run])) {
          if (offset !== next || value !== valueAt(of.topic, of.partition, offset).toString()) return `${of.topic}/${of.partition} has at ${next} what was not written there`
          next++
        }
      }
      if (next !== end) return `${of.topic}/${of.partition} is read up to ${next} of ${end}`
      if ((await log.producer().append(of, [{ key: null, value: valueAt(of.topic, of.partition, end), timestamp: 5 }])).baseOffset !== end) return 'it does not go on where it ended'
    }
    const committed = await log.committedOffset(GROUP, { topic: 'in', partition: 0 }) ?? 0
    const { end } = await log.range({ topic: 'out', partition: 0 })
    return committed === end - 1 ? undefined : `offset ${committed} was committed with ${end - 1} outputs` // one more was appended above
  } catch (e) {
    return `${String((e as { readonly code?: unknown }).code)} ${String(e)}`
  } finally {
    await log?.[Symbol.asyncDispose]()
  }
}
