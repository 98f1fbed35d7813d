import { join } from 'node:path'
import avro from 'avsc'
import { describe, expect, it } from 'vitest'
import { openSnapshotStore, startProcessor, type StateMachine } from '../../../streams/engine/index.ts'
import { openEmbeddedLog } from '../../../streams/log/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { drain } from '../log/contract.ts'
import { avroTopic, defineProcessor, fields, fixedSchemas, testProcessor, type DefinedProcessor, type Schemas } from '../../../streams/processors/index.ts'
import { count, last, mean, tumbling, type Aggregate } from '../../../streams/windows/index.ts'

const READING = { type: 'record', name: 'Reading', namespace: 'test', fields: [{ name: 'patient', type: 'string' }, { name: 'ts', type: 'long' }, { name: 'value', type: ['null', 'double'] }] } as const
const OUT = { type: 'record', name: 'Out', namespace: 'test', fields: [{ name: 'patient', type: 'string' }, { name: 'until', type: 'long' }, { name: 'mean', type: 'double' }] } as const

const windows = tumbling({ size: '10 s', grace: '5 s' }).eventTime('ts').of('value').aggregate({ n: count(), mean: mean(), last: last() }).onClose()
const means = (name: string = 'means'): DefinedProcessor<typeof READING> => defineProcessor({
  name, input: avroTopic('in', READING), key: fields('patient'), machine: windows, late: 'late',
  output: { topic: 'out', json: { who: 'key.patient', from: 'start', to: 'end', n: 'value.n', mean: 'value.mean', why: 'cause', again: 'revision' } },
})

describe('a processor over windows', () => {
  it('emits once a window is closed, at the time that made it due', async () => {
    const t = await testProcessor(means())
    await t.send({ patient: 'a', ts: 1_000, value: 10 }, { at: 1_000 })
    await t.send({ patient: 'a', ts: 3_000, value: 13 }, { at: 4_000 })
    expect(t.due).toBe(15_000)
    await t.advance('10 s')
    expect(t.read()).toEqual([])
    await t.advance('5 s')
    expect(t.read()).toEqual([{ topic: 'out', key: 'a', timestamp: 15_000, value: { who: 'a', from: 0, to: 10_000, n: 2, mean: 11.5, why: 'close', again: 0 } }])
  })

  it('sends what came too late on as it is, and counts it', async () => {
    const t = await testProcessor(means())
    await t.advance('20 s')
    await t.send({ patient: 'a', ts: 1_000, value: 10 })
    expect(t.read()).toMatchObject([{ topic: 'late', key: 'key', timestamp: 20_000 }])
    expect(t.late).toBe(1)
  })

  it('takes an event time that is a little ahead as the arrival time, and refuses one that is far ahead', async () => {
    const t = await testProcessor(means())
    await t.send({ patient: 'a', ts: 60_000, value: 10 }, { at: 1_000 })
    expect(t.clamped).toBe(1)
    await t.send({ patient: 'a', ts: 600_000, value: 10 }, { at: 1_000 })
    await t.send({ patient: 'a', ts: 1_000, value: null }, { at: 1_000 })
    await t.sendRaw(Buffer.from('k'), Buffer.from('junk'))
    await t.send({ patient: 'a'.repeat(600), ts: 1_000, value: 1 })
    expect(t.read('means.dead-letters').map(w => (w.value as { readonly cause: string }).cause)).toEqual(['event-time-ahead', 'value-invalid', 'payload-invalid', 'key-invalid'])
  })

  it('writes Avro with the id that the registry gives', async () => {
    const t = await testProcessor(defineProcessor({
      name: 'avro', input: avroTopic('in', READING), key: fields('patient'), machine: windows,
      output: { topic: 'out', avro: OUT, fields: { patient: 'key.patient', until: 'end', mean: 'value.mean' } },
    }))
    await t.send({ patient: 'ä', ts: 1_000, value: 10 }, { at: 1_000 })
    await t.advance('14 s')
    expect(t.read().map(w => w.value)).toEqual([{ patient: 'ä', until: 10_000, mean: 10 }])
  })

  it('writes any key as correct JSON', async () => {
    const t = await testProcessor(means())
    const patient = 'a"b\\c\n|é'
    await t.send({ patient, ts: 1_000, value: 1 }, { at: 1_000 })
    await t.advance('20 s')
    expect(t.read()).toMatchObject([{ key: patient, value: { who: patient } }])
  })

  it('says what is wrong with a definition when it is opened', async () => {
    const wrong = defineProcessor({ name: 'wrong', input: avroTopic('in', READING), key: fields('patient'), machine: windows, output: { topic: 'out', json: { x: 'value.mode' as 'value.mean' } } })
    await expect(testProcessor(wrong)).rejects.toThrow('no source "value.mode"')
    expect(() => tumbling({ size: '0 s' })).toThrow('size is "0 s"')
  })

  it('passes over a reading at which an aggregate of somebody\'s own throws: it goes to the dead letters, the others count', async () => {
    const touchy: Aggregate = { partial: { name: 'touchy', width: 1, empty: (c, at) => { c[at] = 0 }, add: (c, at, value) => { if (value === 13) throw new Error('13'); c[at]! += value }, merge: (c, at, from, f) => { c[at]! += from[f]! } }, result: (c, at) => c[at]! }
    const definition = await defineProcessor({
      name: 'touchy', input: avroTopic('in', READING), key: fields('patient'), output: { topic: 'out', json: { total: 'value.total' } },
      machine: tumbling({ size: '10 s' }).eventTime('ts').of('value').aggregate({ total: touchy }).onClose(),
    }).open(fixedSchemas({ 1: READING }))
    const directory = tempDir()
    {
      await using log = await openEmbeddedLog({ directory: join(directory.path, 'log'), clock: new ManualClock(1) })
      await using snapshots = openSnapshotStore(join(directory.path, 'snapshots'))
      await log.ensureTopics(['in', 'out', 'touchy.dead-letters'].map(name => ({ name, partitions: 1, timestamps: 'create', retentionMs: 0 })))
      const type = avro.Type.forSchema(JSON.parse(JSON.stringify(READING)) as avro.Schema)
      for (const [value, ts] of [[1, 1_000], [13, 2_000], [2, 3_000], [4, 30_000]] as const) {
        await log.producer().append({ topic: 'in', partition: 0 }, [{ key: Buffer.from('p'), value: Buffer.concat([Buffer.from([0, 0, 0, 0, 1]), type.toBuffer({ patient: 'p', ts, value })]), timestamp: ts }])
      }
      await using running = await startProcessor(definition, { log, clock: new ManualClock(1), snapshots })
      for (let idle = 0; idle < 3;) idle = await running.step(0) === 0 ? idle + 1 : 0
      const textsOf = async (topic: string): Promise<readonly string[]> => { const run = await log.reader({ topic, partition: 0 }, 0).next(); return run === undefined ? [] : drain([run]).map(r => r.value) }
      expect(await textsOf('out')).toEqual(['{"total":3}'])
      expect((await textsOf('touchy.dead-letters')).map(line => (JSON.parse(line) as { offset: number }).offset)).toEqual([1])
    }
    directory.remove()
  })
})

it('asks the registry for a writer that it does not know, once, and reads older versions', async () => {
  const asked: number[] = []
  const older = { ...READING, fields: [...READING.fields, { name: 'unit', type: 'string' }] }
  const schemas: Schemas = {
    known: () => Promise.resolve([]),
    idOf: () => Promise.resolve({ id: 7 }),
    lookup: id => { asked.push(id); return Promise.resolve(id === 7 ? JSON.stringify(READING) : id === 9 ? JSON.stringify(older) : undefined) },
  }
  const t = await testProcessor(means(), { schemas })
  await t.send({ patient: 'a', ts: 1_000, value: 10 }, { at: 1_000 })
  await t.send({ patient: 'a', ts: 2_000, value: 20 }, { at: 2_000 })
  const value = Buffer.concat([Buffer.from([0, 0, 0, 0, 9, 2]), Buffer.from('a'), Buffer.from([0xf0, 0x2e, 2]), Buffer.from(new Float64Array([60]).buffer), Buffer.from([2]), Buffer.from('u')])
  await t.sendRaw(Buffer.from('a'), value, 3_000)
  for (const id of [11, 11]) await t.sendRaw(Buffer.from('a'), Buffer.from([0, 0, 0, 0, id, 1]), 3_000)
  await t.advance('20 s')
  expect(t.read('out')).toMatchObject([{ value: { n: 3, mean: 30 } }])
  expect(t.read('means.dead-letters').map(w => (w.value as { readonly cause: string }).cause)).toEqual(['schema-unknown', 'schema-unknown'])
  expect(asked).toEqual([7, 9, 11])
})

it('runs a state machine a key by the same call', async () => {
  const rising: StateMachine<{ previous: number }, { readonly value: number | null }, number> = {
    name: 'rising',
    empty: () => ({ previous: 0 }),
    step: (state, input, emit) => {
      if (input.kind === 'tick') return
      const value = input.value.value ?? 0
      if (value > 100 && state.previous <= 100) emit(value)
      state.previous = value
    },
    nextDue: () => undefined,
    codec: { version: 1, encode: s => Buffer.from(JSON.stringify(s)), decode: b => JSON.parse(b.toString()) as { previous: number } },
  }
  const t = await testProcessor(defineProcessor({ name: 'rising', input: avroTopic('in', READING), key: fields('patient'), machine: rising, output: { topic: 'alerts', json: (value, patient) => ({ patient, value }) } }))
  for (const value of [90, 110, 120]) await t.send({ patient: 'a', ts: 0, value })
  await t.restart()
  for (const value of [130, 80, 105]) await t.send({ patient: 'a', ts: 0, value })
  expect(t.read().map(w => w.value)).toEqual([{ patient: 'a', value: 110 }, { patient: 'a', value: 105 }])
})
