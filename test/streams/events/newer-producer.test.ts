import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { isLatidoError } from '../../../streams/errors/index.ts'
import { openSnapshotStore, startProcessor, type Input, type Processor } from '../../../streams/engine/index.ts'
import { SchemaBook, unlessPending, type RecordSchema, type SchemaRegistry } from '../../../streams/events/index.ts'
import { openEmbeddedLog } from '../../../streams/log/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { contents, DEAD, IN, OUT, toyProcessor, type ToyOut, type ToyState } from '../engine/toy.ts'
import { tempDir } from '../../kit/temp-dir.ts'

const dir = tempDir()
afterAll(() => { dir.remove() })

const NUMBER = (...more: RecordSchema['fields']): RecordSchema => ({ type: 'record', name: 'Number', namespace: 'latido', doc: 'test', fields: [{ name: 'n', type: 'string' }, ...more] })

/** Knows each schema that any book of the test writes; answers an id after a turn of the loop. */
function sharedRegistry (): SchemaRegistry {
  const texts: string[] = []
  return {
    known: () => Promise.resolve([]),
    idOf: (_subject, schema) => { if (!texts.includes(schema)) texts.push(schema); return Promise.resolve({ id: texts.indexOf(schema) + 1, older: [] }) },
    lookup: async id => { await new Promise(resolve => { setImmediate(resolve) }); return texts[id - 1] },
  }
}

function processorOver (book: SchemaBook): Processor<ToyState, string, ToyOut> {
  const read = (buffer: Buffer, start: number, end: number): Input<string> => {
    try {
      return { kind: 'record', key: 'a', value: (book.decode(buffer, start, end) as { n: string }).n }
    } catch (e) {
      return { kind: 'refused', cause: isLatidoError(e) && e.code === 'SCHEMA_UNKNOWN' ? 'schema-unknown' : 'payload-invalid', detail: 'cannot be read' }
    }
  }
  return { ...toyProcessor, decode: r => { const input = read(r.valueBuffer, r.valueStart, r.valueEnd); return input.kind === 'refused' ? unlessPending(book, r, input) : input } }
}

describe.each([['record by record', {}], ['a batch at a time', { prepare: () => Promise.resolve() }]])('a processor that decodes %s', (_name, more) => {
  it('takes the records of a newer producer in their order, and refuses those of an id that nobody registered', async () => {
    const registry = sharedRegistry()
    const book = await SchemaBook.over(registry)
    const known = await book.codec<{ n: string }>('t', NUMBER())
    const newer = await (await SchemaBook.over(registry)).codec<{ n: string, unit: string }>('t', NUMBER({ name: 'unit', type: 'string', default: '' } as RecordSchema['fields'][number]))
    const unknown = known.encode({ n: '100' })
    unknown.writeUInt32BE(999, 1)
    const clock = new ManualClock(1)
    const home = join(dir.path, String(Object.keys(more).length))
    const log = await openEmbeddedLog({ directory: join(home, 'log'), clock })
    const snapshots = openSnapshotStore(join(home, 'snapshots'))
    await log.ensureTopics([IN, OUT, DEAD])
    const values = [known.encode({ n: '1' }), newer.encode({ n: '2', unit: 'mmol/L' }), unknown, known.encode({ n: '4' }), newer.encode({ n: '8', unit: '' })]
    await log.producer().append({ topic: IN.name, partition: 0 }, values.map((value, i) => ({ key: Buffer.from('a'), value, timestamp: 1_000 + i })))
    const running = await startProcessor({ ...processorOver(book), ...more }, { log, clock, snapshots })
    for (let idle = 0; idle < 3;) idle = await running.step(0) === 0 ? idle + 1 : 0
    await running[Symbol.asyncDispose]()
    expect((await contents(log, OUT.name))[0]).toEqual(['1000 a sum 1 of 1 at 1000', '1001 a sum 3 of 2 at 1001', '1003 a sum 7 of 3 at 1003', '1004 a sum 15 of 4 at 1004'])
    expect((await contents(log, DEAD.name)).flat().map(line => line.split(' ').slice(0, 2).join(' '))).toEqual(['schema-unknown 0/2'])
    await snapshots[Symbol.asyncDispose]()
    await log[Symbol.asyncDispose]()
  })
})
