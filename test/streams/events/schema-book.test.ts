import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LatidoError } from '../../../streams/errors/index.ts'
import { rememberedRegistry, SchemaBook, type Lookup, type RecordSchema, type SchemaRegistry } from '../../../streams/events/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { storage } from './support.ts'

const NOTE = (fields: RecordSchema['fields'], name = 'Note'): RecordSchema => ({ type: 'record', name, namespace: 'latido', doc: 'test', fields })
const TEXT = { name: 'text', type: 'string' }
const NEWER = NOTE([TEXT, { name: 'by', type: 'string' }])

/** A registry that somebody else fills; counts what it is asked. */
class SharedRegistry implements SchemaRegistry {
  readonly schemas = new Map<number, string>()
  readonly asked: number[] = []
  away = false
  known (): Promise<[]> { return Promise.resolve([]) }
  idOf (_subject: string, schema: string): Promise<{ id: number, older: [] }> {
    const id = [...this.schemas].find(([, text]) => text === schema)?.[0] ?? this.schemas.size + 1
    this.schemas.set(id, schema)
    return Promise.resolve({ id, older: [] })
  }

  async lookup (id: number): Promise<string | undefined> {
    this.asked.push(id)
    await Promise.resolve()
    if (this.away) throw new LatidoError('REGISTRY_UNREACHABLE', 'away', 'wait')
    return this.schemas.get(id)
  }
}

async function setup (): Promise<{ registry: SharedRegistry, clock: ManualClock, book: SchemaBook, lookups: [number, Lookup][], newer: (text: string, by: string) => Promise<Buffer> }> {
  const registry = new SharedRegistry()
  const clock = new ManualClock(1_000)
  const lookups: [number, Lookup][] = []
  const book = await SchemaBook.over(registry, { clock, refuseForMs: 60_000, onLookup: (id, became) => { lookups.push([id, became]) } })
  await book.codec('t', NOTE([TEXT]))
  const newer = async (text: string, by: string): Promise<Buffer> => (await (await SchemaBook.over(registry)).codec('t', NEWER)).encode({ text, by })
  return { registry, clock, book, lookups, newer }
}

const framed = (id: number): Buffer => { const value = Buffer.alloc(9); value.writeUInt32BE(id, 1); return value }
const decode = (book: SchemaBook, value: Buffer): unknown => ({ ...book.decode(value, 0, value.length) as object })
const refusal = (book: SchemaBook, value: Buffer): unknown => { try { return book.decode(value, 0, value.length) } catch (e) { return (e as LatidoError).code } }

describe('a record of a newer producer', () => {
  it('is decoded after its schema has been looked up once', async () => {
    const { registry, book, newer, lookups } = await setup()
    const value = await newer('hello', 'somebody')
    expect(refusal(book, value)).toBe('SCHEMA_UNKNOWN')
    await book.pending(value, 0, value.length)
    expect(book.pending(value, 0, value.length)).toBeUndefined()
    expect(decode(book, value)).toEqual({ text: 'hello' })
    expect([registry.asked, lookups]).toEqual([[2], [[2, 'found']]])
  })

  it('costs one request, however many of its records wait', async () => {
    const { registry, book, newer } = await setup()
    const value = await newer('a', 'b')
    await Promise.all([book.pending(value, 0, value.length), book.pending(value, 0, value.length), book.learn([2, 2, 1])])
    expect(registry.asked).toEqual([2])
  })

  it('that lacks what this version must have is refused as such, not as a fault of ours', async () => {
    const { registry, book } = await setup()
    registry.schemas.set(9, JSON.stringify(NOTE([{ name: 'other', type: 'long' }])))
    await book.learn([9])
    expect(refusal(book, framed(9))).toBe('PAYLOAD_INVALID')
  })
})

describe('an id that nobody registered', () => {
  it('is refused without asking again, until the refusal has run out', async () => {
    const { registry, clock, book, lookups } = await setup()
    const value = framed(77)
    await book.pending(value, 0, value.length)
    clock.advance(59_999)
    expect(book.pending(value, 0, value.length)).toBeUndefined()
    expect(refusal(book, value)).toBe('SCHEMA_UNKNOWN')
    clock.advance(1)
    registry.schemas.set(77, JSON.stringify(NOTE([TEXT])))
    await book.pending(value, 0, value.length)
    expect(registry.asked).toEqual([77, 77])
    expect(lookups).toEqual([[77, 'unknown'], [77, 'found']])
  })

  it('or whose text is no Avro schema', async () => {
    const { registry, book } = await setup()
    for (const [id, text] of [[5, 'syntax = "proto3";'], [6, '{"type":"record"}'], [7, '"latido.Missing"']] as const) registry.schemas.set(id, text)
    await book.learn([5, 6, 7])
    expect([5, 6, 7].map(id => refusal(book, framed(id)))).toEqual(Array(3).fill('SCHEMA_UNKNOWN'))
  })

  it('takes no more memory than a thousand of its kind', async () => {
    const { registry, book } = await setup()
    await book.learn(Array.from({ length: 1_001 }, (_, i) => 100 + i))
    await book.learn([1_100, 100])
    expect(registry.asked.slice(1_001)).toEqual([100])
  })
})

it('a registry that is away refuses what needs it, and nothing else', async () => {
  const { registry, book, newer, lookups } = await setup()
  const known = (await book.codec('t', NOTE([TEXT]))).encode({ text: 'known' })
  const value = await newer('a', 'b')
  registry.away = true
  await book.learn([2])
  expect([refusal(book, value), decode(book, known), lookups]).toEqual(['SCHEMA_UNKNOWN', { text: 'known' }, [[2, 'away']]])
})

it('garbage is not looked up: bytes that are not in the wire format have no id', async () => {
  const { registry, book } = await setup()
  fc.assert(fc.property(fc.uint8Array({ maxLength: 20 }).filter(b => b.length < 5 || b[0] !== 0), bytes => { expect(book.pending(Buffer.from(bytes), 0, bytes.length)).toBeUndefined() }))
  expect(book.pending(Buffer.alloc(0), -1, -1)).toBeUndefined()
  expect(registry.asked).toEqual([])
})

it('an embedded registry knows all of its ids: nothing is waited for', async () => {
  const book = await SchemaBook.open({ url: 'mock://', storage: { load: () => [], add: () => Promise.resolve() } })
  const value = framed(77)
  expect(book.pending(value, 0, value.length)).toBeUndefined()
})

it('subjects carry the prefix of the topics', async () => {
  const book = await SchemaBook.over(new SharedRegistry(), { topicPrefix: 'north.' })
  expect((await book.codec('t', NOTE([TEXT]))).subject).toBe('north.t-latido.Note')
})

describe('a registry that was exchanged under the same address', () => {
  it('is found out at the start, by the ids that stand in the log', async () => {
    const kept = storage()
    const before = new SharedRegistry()
    await (await SchemaBook.over(rememberedRegistry(before, kept))).codec('t', NOTE([TEXT]))
    await expect(SchemaBook.over(rememberedRegistry(before, kept))).resolves.toBeDefined()
    const after = new SharedRegistry()
    after.schemas.set(1, JSON.stringify(NOTE([{ name: 'other', type: 'long' }])))
    await expect(SchemaBook.over(rememberedRegistry(after, kept))).rejects.toMatchObject({ code: 'SCHEMA_ID_CHANGED' })
  })

  it('and an empty one just as well', async () => {
    const empty = new SharedRegistry()
    empty.idOf = () => Promise.reject(new LatidoError('NOT_PROVISIONED', 'not registered', 'apply'))
    const book = SchemaBook.over(rememberedRegistry(empty, storage([{ id: 1, subject: 't-latido.Note', schema: JSON.stringify(NOTE([TEXT])) }])))
    await expect(book).rejects.toMatchObject({ code: 'SCHEMA_ID_CHANGED', message: expect.stringContaining('no id') as string })
  })
})
