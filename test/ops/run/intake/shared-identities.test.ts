import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { SourceIdentity } from '../../../../connectors/kit/index.ts'
import { Closers } from '../../../../ops/run/closers.ts'
import { openVault } from '../../../../ops/run/intake/vault.ts'
import { parseConfig } from '../../../../ops/config/index.ts'
import { IdentityVault } from '../../../../ops/security/index.ts'
import { openEventCodecs, patientKeyOf, SchemaBook, TOPICS, topicSpecs, type EventCodecs, type PatientKey, type SealedIdentity } from '../../../../streams/events/index.ts'
import { openEmbeddedLog, type Log, type PartitionReader } from '../../../../streams/log/index.ts'
import { ManualClock, systemClock } from '../../../../streams/time/index.ts'
import { merge, openHouse, type House } from '../../../connectors/kit/house.ts'
import { recordsOf } from '../../../kit/read-topic.ts'
import { until } from '../../../kit/servers/index.ts'
import { tempDir } from '../../../kit/temp-dir.ts'

const JANE: SourceIdentity = { id: 'MRN-1', familyName: 'Invented', givenName: 'Jane', birthDate: '1950-04-12' }
const NOW = 1_900_000_000_000
let directory: ReturnType<typeof tempDir>
let log: Log
let codecs: EventCodecs
let clock: ManualClock
let opened: Instance[]
let warnings: string[]
/** Offsets from which partitions were read. */
let readFrom: string[]

interface Instance extends AsyncDisposable { readonly vault: IdentityVault, readonly learned: () => number }

beforeEach(async () => {
  directory = tempDir()
  clock = new ManualClock(NOW)
  log = await openEmbeddedLog({ directory: join(directory.path, 'log'), clock: systemClock })
  await log.ensureTopics(topicSpecs({ partitions: 2, retentionMs: 0 }))
  codecs = await openEventCodecs(await SchemaBook.open({ url: 'mock://', storage: { load: () => [], add: () => Promise.resolve() } }))
  opened = []
  warnings = []
  readFrom = []
})
afterEach(async () => {
  for (const one of opened) await one[Symbol.asyncDispose]()
  await log[Symbol.asyncDispose]()
  directory.remove()
})

const keyFileOf = (key: string): string => join(directory.path, `${key}.key`)

/** A vault of an instance on a log that others share; the embedded one stands for a cluster's. */
async function open (name: string, { key = 'one', on = log }: { readonly key?: string, readonly on?: Log } = {}): Promise<Instance> {
  const closers = new Closers()
  let learned = 0
  const reader = (of: Parameters<Log['reader']>[0], from: number): PartitionReader => { readFrom.push(`${name} ${of.partition} ${from}`); return on.reader(of, from) }
  const seen = new Proxy(on, { get: (target, property) => property === 'reader' ? reader : (value => typeof value === 'function' ? value.bind(target) as unknown : value)(Reflect.get(target, property) as unknown) })
  const dir = { path: (...parts: readonly string[]) => join(directory.path, name, ...parts), [Symbol.dispose]: () => {} }
  try {
    const vault = await openVault({ config: parseConfig(['--key-file', keyFileOf(key)], {}), dir, stores: { log: seen, codecs, driver: 'direct' }, clock, logger: { warn: (_, what) => { warnings.push(what) } }, onLearned: () => { learned++ } }, closers)
    const instance = { vault, learned: () => learned, [Symbol.asyncDispose]: () => closers[Symbol.asyncDispose]() }
    opened.push(instance)
    return instance
  } catch (e) {
    await closers[Symbol.asyncDispose]()
    throw e
  }
}
async function close (instance: Instance): Promise<void> { opened = opened.filter(one => one !== instance); await instance[Symbol.asyncDispose]() }
const records = async (): Promise<readonly string[]> => { const keys: string[] = []; for await (const record of recordsOf(log, TOPICS.identity)) keys.push(patientKeyOf(record)); return keys.filter(key => !key.startsWith('key-check')) }
const append = async (patient: PatientKey, value: Buffer | null): Promise<void> => { for (let partition = 0; partition < 2; partition++) if (await has(partition, patient)) await log.producer().append({ topic: TOPICS.identity, partition }, [{ key: Buffer.from(patient), value }]) }
const has = async (partition: number, patient: PatientKey): Promise<boolean> => { for await (const record of recordsOf(log, TOPICS.identity, partition)) if (patientKeyOf(record) === patient) return true; return false }
async function newest (patient: PatientKey): Promise<SealedIdentity> {
  let last: SealedIdentity | undefined
  for await (const record of recordsOf(log, TOPICS.identity)) if (patientKeyOf(record) === patient) { const { sealed, key } = codecs.decodeIdentity(record); last = { sealed: Buffer.from(sealed), key: Buffer.from(key) } }
  return last!
}
/** One look of those who follow. */
async function look (): Promise<void> { clock.advance(1_000); await new Promise(resolve => { setImmediate(resolve) }) }

it('a patient of whom one instance heard is known to the other: at once to who asks, and within a second to the boards', async () => {
  const a = await open('a')
  const b = await open('b')
  const jane = await a.vault.identify(JANE)
  expect(b.vault.identityOf(jane)).toBeUndefined()
  expect(await b.vault.find(jane)).toEqual(JANE)
  const john = await a.vault.identify({ id: 'MRN-2', givenName: 'John' })
  await until('the name', 60_000, async () => { await look(); return b.vault.identityOf(john)?.givenName === 'John' })
  expect(b.vault.keyOf('MRN-2')).toBe(john)
  expect(b.learned()).toBeGreaterThan(0)
  await b.vault.identify(JANE) // it has nothing to add
  expect(await records()).toEqual(expect.arrayContaining([jane, john]))
  expect(await records()).toHaveLength(2)
})

it('who asks while the instance reads waits for what came since that began', async () => {
  const a = await open('a')
  let release = (): void => {}
  let held: Promise<void> | undefined
  let waiting = 0
  const slow = new Proxy(log, { get: (target, property) => property === 'reader' ? (of: Parameters<Log['reader']>[0], from: number): PartitionReader => {
    const reader = target.reader(of, from)
    return { next: async () => { const run = await reader.next(); if (held !== undefined) { waiting++; await held } return run } }
  } : (value => typeof value === 'function' ? value.bind(target) as unknown : value)(Reflect.get(target, property) as unknown) })
  const b = await open('b', { on: slow })
  held = new Promise(resolve => { release = resolve })
  await until('a look at both partitions', 60_000, async () => { if (waiting === 0) await look(); return waiting >= 2 })
  const jane = await a.vault.identify(JANE)
  const found = b.vault.find(jane)
  held = undefined
  release()
  expect(await found).toEqual(JANE)
})

it('one who starts later reads what there is, and after a restart only what is new', async () => {
  const a = await open('a')
  const jane = await a.vault.identify(JANE)
  const b = await open('b')
  expect(b.vault.identityOf(jane)).toEqual(JANE)
  await close(b)
  const john = await a.vault.identify({ id: 'MRN-2' })
  readFrom = []
  const again = await open('b')
  expect([again.vault.identityOf(jane), again.vault.identityOf(john)]).toEqual([JANE, { id: 'MRN-2' }])
  const ends = await Promise.all([0, 1].map(async partition => (await log.range({ topic: TOPICS.identity, partition })).end))
  const read = readFrom.filter(one => one.startsWith('b')).map(one => Number(one.split(' ')[2]))
  expect(read).toHaveLength(2)
  expect(read.reduce((sum, from) => sum + from, 0)).toBe(ends[0]! + ends[1]! - 1)
})

const FIELDS = { familyName: fc.constantFrom('A', 'B'), givenName: fc.constantFrom('C', 'D'), birthDate: fc.constantFrom('1950', '1951') }

it('instances that hear of a patient at the same time lose nothing of what each heard, and come to the same; and then the newest record has it all', async () => {
  let runs = 0
  await fc.assert(fc.asyncProperty(fc.array(fc.record({ at: fc.nat(1), wait: fc.boolean(), fields: fc.record(FIELDS, { requiredKeys: [] }) }), { minLength: 1, maxLength: 8 }), async heard => {
    const id = `MRN-${++runs}`
    const two = [await open(`a-${id}`), await open(`b-${id}`)]
    const work: Promise<PatientKey>[] = []
    for (const { at, wait, fields } of heard) {
      work.push(two[at]!.vault.identify({ id, ...fields }))
      if (wait) await work.at(-1)
    }
    const [patient] = await Promise.all(work)
    const known = (): readonly string[] => two.map(({ vault }) => JSON.stringify(Object.entries(vault.identityOf(patient!) ?? {}).sort()))
    await until('both to know the same', 60_000, async () => { await look(); return new Set(known()).size === 1 })
    for (const { vault } of two) await vault.identify({ id })
    await using compacted = new IdentityVault({ directory: join(directory.path, `late-${id}`), keyFile: keyFileOf('one'), publish: () => Promise.resolve() })
    await compacted.learn(patient!, await newest(patient!))
    const identity = compacted.identityOf(patient!)
    expect(new Set(known())).toEqual(new Set([JSON.stringify(Object.entries(identity!).sort())]))
    for (const field of ['familyName', 'givenName', 'birthDate'] as const) {
      const said = heard.flatMap(({ fields }) => fields[field] ?? [])
      if (said.length === 0) expect(identity).not.toHaveProperty(field); else expect(said).toContain(identity?.[field])
    }
    for (const one of two) await close(one)
  }), { numRuns: 25 })
})

it.each(['with the next message', 'at the next start'])('a record that lacks what was known is said again %s, so that compaction may take the older ones', async when => {
  const a = await open('a')
  const jane = await a.vault.identify(JANE)
  const poorer: Buffer[] = []
  await using stranger = new IdentityVault({ directory: join(directory.path, 'stranger'), keyFile: keyFileOf('one'), publish: (_, record) => { poorer.push(codecs.encodeIdentity(record)); return Promise.resolve() } })
  await stranger.identify({ id: 'MRN-1', familyName: 'Wed' })
  await append(jane, poorer[0]!)
  await until('the newer name', 60_000, async () => { await look(); return a.vault.identityOf(jane)?.familyName === 'Wed' })
  expect(a.vault.identityOf(jane)).toEqual({ ...JANE, familyName: 'Wed' })
  expect(await records()).toHaveLength(2)
  if (when === 'with the next message') await a.vault.identify({ id: 'MRN-1' })
  await close(a)
  const again = await open('a')
  await again.vault.identify({ id: 'MRN-1' })
  await close(again)
  await open('a')
  expect(await records()).toHaveLength(3)
})

it('another key file is refused before anything is said under it, also where it was exchanged', async () => {
  const a = await open('a')
  await close(await open('c'))
  await a.vault.identify(JANE)
  await expect(open('b', { key: 'other' })).rejects.toMatchObject({ code: 'KEY_MISMATCH' })
  expect(await records()).toHaveLength(1)
  copyFileSync(keyFileOf('other'), keyFileOf('one'))
  for (const name of ['c', 'd']) await expect(open(name)).rejects.toMatchObject({ code: 'KEY_MISMATCH' })
})

it('of instances that start together on a new log with different keys one kind starts', async () => {
  const started = await Promise.allSettled(['k', 'l', 'm', 'k'].map((key, i) => open(`i${i}`, { key })))
  const keys = new Set(started.flatMap(one => one.status === 'fulfilled' ? one.value.vault.fingerprint : []))
  expect(keys.size).toBe(1)
  for (const one of started) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'KEY_MISMATCH' })
})

it('who takes over in a merge is known to all, though one instance alone heard of it, and the two are told as known where they were not heard of', async () => {
  const [a, b] = [await open('a'), await open('b')]
  const house = async (name: string, { vault }: Instance): Promise<House> => await openHouse(join(directory.path, `intake-${name}`), clock, { identify: patient => vault.identify(patient), isKnown: id => vault.keyOf(id) !== undefined })
  const [houseA, houseB] = [await house('a', a), await house('b', b)]
  try {
    expect(await houseA.intake.publish(merge('MRN-7', 'MRN-8'))).toMatchObject({ kind: 'published' })
    for (const id of ['MRN-7', 'MRN-8']) expect(await b.vault.find(b.vault.pseudonymOf(id))).toEqual({ id })
    await houseB.intake.publish(merge('MRN-8', 'MRN-7'))
    expect([...houseA.counts.keys(), ...houseB.counts.keys()].filter(what => what.startsWith('merge-of'))).toEqual(['merge-of-two-unknown'])
  } finally {
    for (const one of [houseA, houseB]) await one.close()
  }
})

it('a patient who was erased is erased on every instance, and unknown to those who start later', async () => {
  const a = await open('a')
  const b = await open('b')
  const jane = await a.vault.identify(JANE)
  expect(await b.vault.find(jane)).toEqual(JANE)
  await append(jane, null)
  await until('both to forget', 60_000, async () => { await look(); return a.vault.identityOf(jane) === undefined && b.vault.identityOf(jane) === undefined })
  await close(b)
  for (const name of ['b', 'c']) expect((await open(name)).vault.identityOf(jane)).toBeUndefined()
  await a.vault.identify({ id: 'MRN-1' })
  expect(a.vault.identityOf(jane)).toEqual({ id: 'MRN-1' })
})

it('what a vault knew before it shared a log is said to the others once', async () => {
  const directoryOfA = join(directory.path, 'a', 'identity')
  const before = new IdentityVault({ directory: directoryOfA, keyFile: keyFileOf('one'), publish: () => Promise.resolve() })
  const jane = await before.identify(JANE)
  await before[Symbol.asyncDispose]()
  const a = await open('a')
  expect(await records()).toEqual([jane])
  await close(a)
  await open('a')
  expect(await records()).toEqual([jane])
  expect((await open('b')).vault.identityOf(jane)).toEqual(JANE)
})

it('a log that was made anew is told again', async () => {
  const a = await open('a')
  const jane = await a.vault.identify(JANE)
  await a.vault.identify({ id: 'MRN-1', givenName: 'Janet' })
  await close(a)
  await using other = await openEmbeddedLog({ directory: join(directory.path, 'other-log'), clock: systemClock })
  await other.ensureTopics(topicSpecs({ partitions: 2, retentionMs: 0 }))
  await close(await open('a', { on: other }))
  expect((await open('b', { on: other })).vault.identityOf(jane)?.givenName).toBe('Janet')
  for (const one of opened) await one[Symbol.asyncDispose]()
  opened = []
})

it('what nobody can read is passed over with a warning, and what an earlier version wrote for itself without one', async () => {
  const a = await open('a')
  const jane = await a.vault.identify(JANE)
  for (const value of [Buffer.from('other bytes'), codecs.encodeIdentity({ sealed: Buffer.alloc(40), key: Buffer.alloc(60) }), codecs.encodeIdentity({ sealed: Buffer.alloc(40), key: Buffer.alloc(0) })]) await append(jane, value)
  expect((await open('b')).vault.identityOf(jane)).toEqual(JANE)
  expect(warnings).toHaveLength(2)
})

it('nothing of an identity can be read on the log', async () => {
  await (await open('a')).vault.identify(JANE)
  for await (const { valueBuffer, valueStart, valueEnd } of recordsOf(log, TOPICS.identity)) for (const secret of Object.values(JANE)) expect(valueBuffer.subarray(valueStart, valueEnd).includes(secret)).toBe(false)
})

it('an identity counts as known only when the log has it, and is tried again when it had not', async () => {
  let isDown = false
  const failing = new Proxy(log, { get: (target, property) => property === 'producer' && isDown ? () => ({ append: () => Promise.reject(new Error('down')) }) : (value => typeof value === 'function' ? value.bind(target) as unknown : value)(Reflect.get(target, property) as unknown) })
  const a = await open('a', { on: failing })
  isDown = true
  await expect(a.vault.identify(JANE)).rejects.toThrow('down')
  expect(a.vault.keyOf('MRN-1')).toBeUndefined()
  isDown = false
  await a.vault.identify(JANE)
  expect(await records()).toHaveLength(1)
})

it('on the embedded log nothing but the vault knows the key of a patient', async () => {
  await using closers = new Closers()
  const dir = { path: (...parts: readonly string[]) => join(directory.path, 'own', ...parts), [Symbol.dispose]: () => {} }
  const vault = await openVault({ config: parseConfig([], {}), dir, stores: { log, codecs, driver: 'embedded' }, clock, logger: { warn: () => {} } }, closers)
  const jane = await vault.identify(JANE)
  expect(vault.identityOf(jane)).toEqual(JANE)
  for await (const record of recordsOf(log, TOPICS.identity)) expect(codecs.decodeIdentity(record).key).toHaveLength(0)
})
