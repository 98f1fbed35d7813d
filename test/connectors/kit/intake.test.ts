import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { TOPICS, type PatientKey } from '../../../streams/events/index.ts'
import type { Log } from '../../../streams/log/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { heartRates, merge, movement, numerics, openHouse, read, sealer, type House } from './house.ts'

const HOUR_MS = 3_600_000
let directory: ReturnType<typeof tempDir>
let clock: ManualClock
let house: House

beforeEach(async () => {
  directory = tempDir()
  clock = new ManualClock(1_900_000_000_000)
  house = await openHouse(directory.path, clock)
})
afterEach(async () => { await house.close(); directory.remove() })

async function restart (): Promise<void> {
  await house.close()
  house = await openHouse(directory.path, clock)
}

it('publishes a message once, with its arrival time, and knows it again', async () => {
  expect(await house.intake.publish(numerics('1', 80))).toEqual({ kind: 'published', arrival: 1_900_000_000_000 })
  expect(await house.intake.publish(numerics('1', 80))).toEqual({ kind: 'duplicate' })
  expect(await heartRates(house)).toEqual([80])
  expect([...house.counts]).toEqual([['published', 1], ['duplicate', 1]])
})

it('publishes another content under an id seen before, and counts it: some senders start their counters again', async () => {
  await house.intake.publish(numerics('1', 80))
  expect((await house.intake.publish(numerics('1', 90))).kind).toBe('published')
  expect(await heartRates(house)).toEqual([80, 90])
  expect(house.counts.get('message-id-reused')).toBe(1)
})

it('does not confuse the same id of two sources', async () => {
  await house.intake.publish(numerics('1', 80))
  expect((await house.intake.publish({ ...numerics('1', 80), source: 'hl7:other' })).kind).toBe('published')
})

it('publishes once what comes three times at the same moment', async () => {
  const outcomes = await Promise.all([1, 2, 3].map(async () => (await house.intake.publish(numerics('1', 80))).kind))
  expect(outcomes.toSorted()).toEqual(['duplicate', 'duplicate', 'published'])
  expect(await heartRates(house)).toEqual([80])
})

it('remembers across a restart, for 72 hours', async () => {
  await house.intake.publish(numerics('1', 80))
  await restart()
  clock.advance(72 * HOUR_MS)
  expect(await house.intake.publish(numerics('1', 80))).toEqual({ kind: 'duplicate' })
  clock.advance(1)
  expect((await house.intake.publish(numerics('1', 80))).kind).toBe('published')
})

it('puts the records of one patient into one partition, in order, under the pseudonym', async () => {
  for (let i = 0; i < 20; i++) await house.intake.publish(numerics(String(i), i))
  expect(await heartRates(house)).toEqual(Array.from({ length: 20 }, (_, i) => i))
  expect(new Set(await read(house.log, TOPICS.events, r => r.keyBuffer.toString('utf8', r.keyStart, r.keyEnd)))).toEqual(new Set(['key-9']))
})

it('knows after a crash what the log has, though its own tables had not written it down', async () => {
  await house.intake.publish(numerics('1', 80))
  await house.close()
  const before = join(directory.path, 'before')
  cpSync(join(directory.path, 'kit'), before, { recursive: true })
  house = await openHouse(directory.path, clock)
  await house.intake.publish(numerics('2', 90))
  await house.intake.publish(merge('anna-7', 'anna'))
  await house.close()
  rmSync(join(directory.path, 'kit'), { recursive: true })
  cpSync(before, join(directory.path, 'kit'), { recursive: true })
  house = await openHouse(directory.path, clock)
  expect(await house.intake.publish(numerics('2', 90))).toEqual({ kind: 'duplicate' })
  expect((await house.intake.publish(merge('anna', 'anna-7'))).kind).toBe('merge-loop')
  expect(await heartRates(house)).toEqual([80, 90])
})

it('puts what is still said of a merged patient under the survivor, and refuses merges that point in a circle', async () => {
  expect((await house.intake.publish(merge('MRN-1', 'MRN-22'))).kind).toBe('published')
  expect((await house.intake.publish(merge('MRN-22', 'MRN-333'))).kind).toBe('published')
  expect((await house.intake.publish(merge('MRN-333', 'MRN-1'))).kind).toBe('merge-loop')
  expect((await house.intake.publish(merge('MRN-1', 'MRN-1'))).kind).toBe('merge-loop')
  await house.intake.publish(numerics('9', 80, 'MRN-1'))
  expect((await read(house.log, TOPICS.events, r => r.keyBuffer.toString('utf8', r.keyStart, r.keyEnd))).toSorted()).toEqual(['key-5', 'key-6', 'key-7'])
  await restart()
  expect((await house.intake.publish(merge('MRN-333', 'MRN-22'))).kind).toBe('merge-loop')
})

it('counts a merge of people whom nobody has seen, and takes it', async () => {
  await house.close()
  house = await openHouse(directory.path, clock, { isKnown: id => id === 'MRN-22' })
  expect((await house.intake.publish(merge('MRN-1', 'MRN-22'))).kind).toBe('published')
  expect((await house.intake.publish(merge('MRN-4444', 'MRN-333'))).kind).toBe('published')
  expect([house.counts.get('merge-of-unknown'), house.counts.get('merge-of-two-unknown')]).toEqual([1, 1])
})

it('moves the bed of a merged patient to the survivor', async () => {
  await house.intake.publish(movement('MRN-1', 'admit', 'W', '1'))
  await house.intake.publish(merge('MRN-1', 'MRN-22'))
  expect(house.intake.patientInBed('W', '1')).toBe('MRN-22')
})

it('knows who lies in a bed after a crash between the log and the beds, when the message comes again, and changes nothing where it knew', async () => {
  await house.intake.publish(movement('MRN-1', 'admit', 'W', '1'))
  await house.close()
  const before = join(directory.path, 'before')
  cpSync(join(directory.path, 'kit'), before, { recursive: true })
  house = await openHouse(directory.path, clock)
  await house.intake.publish(movement('MRN-22', 'admit', 'W', '2'))
  await house.intake.publish(merge('MRN-1', 'MRN-333'))
  await house.close()
  rmSync(join(directory.path, 'kit'), { recursive: true })
  cpSync(before, join(directory.path, 'kit'), { recursive: true })
  house = await openHouse(directory.path, clock)
  expect([house.intake.patientInBed('W', '1'), house.intake.patientInBed('W', '2')]).toEqual(['MRN-1', undefined])
  expect(await house.intake.publish(movement('MRN-22', 'admit', 'W', '2'))).toEqual({ kind: 'duplicate' })
  expect(await house.intake.publish(merge('MRN-1', 'MRN-333'))).toEqual({ kind: 'duplicate' })
  expect([house.intake.patientInBed('W', '1'), house.intake.patientInBed('W', '2')]).toEqual(['MRN-333', 'MRN-22'])
  await house.intake.publish(movement('MRN-22', 'discharge', 'W', '2'))
  expect(await house.intake.publish(movement('MRN-22', 'admit', 'W', '2'))).toEqual({ kind: 'duplicate' })
  expect(house.intake.patientInBed('W', '2')).toBe(undefined)
})

it('keeps the order of a patient\'s messages, though the identity of the first has to be kept before', async () => {
  await house.close()
  const waiting: (() => void)[] = []
  house = await openHouse(directory.path, clock, { identify: patient => patient.familyName === undefined ? Promise.resolve('key' as PatientKey) : new Promise(resolve => { waiting.push(() => { resolve('key' as PatientKey) }) }) })
  const first = house.intake.publish({ ...numerics('1', 1), patient: { id: 'a', familyName: 'Invented' } })
  const second = house.intake.publish({ ...numerics('2', 2), patient: { id: 'a' } })
  await Promise.resolve()
  waiting.forEach(go => { go() })
  await Promise.all([first, second])
  expect(await heartRates(house)).toEqual([1, 2])
})

it('archives a message, sealed', async () => {
  await house.intake.archive({ source: 'hl7:bill', type: 'BAR^P01', raw: Buffer.from('MSH|BAR') })
  const [archived] = await read(house.log, TOPICS.archive, r => house.codecs.decodeArchived(r))
  expect(archived).toMatchObject({ source: 'hl7:bill', type: 'BAR^P01', at: 1_900_000_000_000 })
  expect(sealer.open(Buffer.from(archived!.raw)).toString()).toBe('MSH|BAR')
})

it('knows who lies in which bed, through transfers and discharges', async () => {
  const say = async (...movements: readonly Parameters<typeof movement>[]): Promise<readonly (string | undefined)[]> => {
    for (const m of movements) await house.intake.publish(movement(...m))
    return [house.intake.patientInBed('W', '1'), house.intake.patientInBed('W', '2')]
  }
  expect(await say(['anna', 'admit', 'W', '1'])).toEqual(['anna', undefined])
  expect(await say(['anna', 'transfer', 'W', '2'])).toEqual([undefined, 'anna'])
  expect(await say(['ben', 'admit', 'W', '1'])).toEqual(['ben', 'anna'])
  expect(await say(['ben', 'update', 'W', '2'])).toEqual(['ben', 'anna'])
  expect(await say(['cleo', 'admit', 'W', '1'])).toEqual(['cleo', 'anna'])
  expect(await say(['ben', 'discharge', 'W', '1'])).toEqual(['cleo', 'anna'])
  expect(await say(['anna', 'discharge', '', ''])).toEqual(['cleo', undefined])
  await restart()
  expect([house.intake.patientInBed('W', '1'), house.intake.patientInBed('W', '2')]).toEqual(['cleo', undefined])
})

it('keeps a refused message, sealed, with its cause', async () => {
  const raw = Buffer.from('MSH|^~\\&|...PID|||MRN-77001||Doe^Jane')
  await house.intake.refuse({ cause: 'malformed', detail: 'segment 2', source: 'hl7:test', raw })
  const [letter] = await read(house.log, TOPICS.deadLetters, r => house.codecs.decodeDeadLetter(r))
  expect(letter).toMatchObject({ cause: 'malformed', detail: 'segment 2', source: 'hl7:test', partition: -1, offset: -1, refusedAt: 1_900_000_000_000 })
  expect(sealer.open(Buffer.from(letter!.raw))).toEqual(raw)
  expect(house.counts.get('refused-malformed')).toBe(1)
})

it('keeps what comes again once, refused or archived, also when a crash took the memory of it', async () => {
  const raw = Buffer.from('MSH|^~\\&|...')
  const keep = async (): Promise<void> => {
    await Promise.all([1, 2].map(() => house.intake.refuse({ cause: 'malformed', detail: 'segment 2', source: 'hl7:test', feed: 'lab', raw })))
    await house.intake.archive({ source: 'hl7:bill', type: 'BAR^P01', raw })
  }
  await house.close()
  const before = join(directory.path, 'before')
  cpSync(join(directory.path, 'kit'), before, { recursive: true })
  house = await openHouse(directory.path, clock)
  await keep()
  await house.close()
  rmSync(join(directory.path, 'kit'), { recursive: true })
  cpSync(before, join(directory.path, 'kit'), { recursive: true })
  house = await openHouse(directory.path, clock)
  await keep()
  await restart()
  await keep()
  const kept = async (): Promise<readonly number[]> => [(await read(house.log, TOPICS.deadLetters, () => 1)).length, (await read(house.log, TOPICS.archive, () => 1)).length]
  expect(await kept()).toEqual([1, 1])
  expect([...house.counts]).toEqual([['kept-before', 3]])
  await house.intake.refuse({ cause: 'code-unknown', detail: 'segment 2', source: 'hl7:test', feed: 'lab', raw }) // for another cause: the mapping is another
  await Promise.all([1, 2].map(() => house.intake.refuse({ cause: 'unauthorised', detail: 'a stranger', source: 'fhir', raw: Buffer.alloc(0) })))
  expect(await kept()).toEqual([4, 1])
  clock.advance(73 * HOUR_MS)
  await keep()
  expect(await kept()).toEqual([5, 2])
})

it('leaves no identifier and no raw byte of a refused message readable on the disk', async () => {
  await house.intake.publish(numerics('1', 80, 'MRN-SECRET-1'))
  await house.intake.publish(movement('MRN-SECRET-1', 'admit', 'W', '1'))
  await house.intake.refuse({ cause: 'malformed', detail: 'segment 2', source: 'hl7:test', raw: Buffer.from('PID|||MRN-SECRET-1||Doe^Jane') })
  await house.close()
  for (const file of filesIn(directory.path)) {
    const bytes = readFileSync(file)
    for (const secret of ['MRN-SECRET-1', 'Doe^Jane']) expect(bytes.includes(secret), `${secret} in a data file`).toBe(false)
  }
  house = await openHouse(directory.path, clock)
})

it('rejects when the log does not take the message, and then does not call the next copy a duplicate', async () => {
  await house.close()
  let down = true
  const failing = (log: Log): Log => new Proxy(log, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property, target)
      if (property !== 'producer') return typeof value === 'function' ? value.bind(target) as unknown : value
      return () => { const inner = target.producer(); return { ...inner, append: (...args: Parameters<typeof inner.append>) => down ? Promise.reject(new LatidoError('LOG_WRITE_FAILED', 'disk full', 'make room')) : inner.append(...args) } }
    },
  })
  house = await openHouse(directory.path, clock, { log: failing })
  await expect(house.intake.publish(numerics('1', 80))).rejects.toMatchObject({ code: 'LOG_WRITE_FAILED' })
  await expect(house.intake.publish(movement('anna', 'admit', 'W', '1'))).rejects.toMatchObject({ code: 'LOG_WRITE_FAILED' })
  expect(house.intake.patientInBed('W', '1')).toBeUndefined()
  await expect(house.intake.refuse({ cause: 'malformed', detail: '', source: 's', raw: Buffer.alloc(1) })).rejects.toMatchObject({ code: 'LOG_WRITE_FAILED' })
  down = false
  expect((await house.intake.publish(numerics('1', 80))).kind).toBe('published')
})

it('publishes nothing for a patient whose identity could not be kept', async () => {
  await house.close()
  house = await openHouse(directory.path, clock, { identify: () => Promise.reject(new LatidoError('LOG_WRITE_FAILED', 'disk full', 'make room')) })
  await expect(house.intake.publish(numerics('1', 80))).rejects.toMatchObject({ code: 'LOG_WRITE_FAILED' })
  expect(await heartRates(house)).toEqual([])
})

function filesIn (path: string): readonly string[] { return readdirSync(path, { recursive: true, withFileTypes: true }).filter(e => e.isFile()).map(e => join(e.parentPath, e.name)) }
