import { describe, expect, it } from 'vitest'
import { hl7Mapper } from '../../../connectors/hl7/mapper.ts'
import { Feed, PLAIN_MAPPING, type MapContext, type MappedMessage } from '../../../connectors/kit/index.ts'
import { FakeIntake } from '../kit/fake-intake.ts'
import { hl7, NOW, oru } from './support.ts'

const context: MapContext = { now: NOW, mapping: PLAIN_MAPPING, patientInBed: () => undefined, unmapped: () => {} }
const map = (raw: Buffer): MappedMessage => hl7Mapper()(raw, context)
const lines = (raw: Buffer | undefined): string[] => raw?.toString().split('\r').filter(line => line !== '') ?? []
const HR = 'OBX|1|NM|8867-4^Heart rate^LN||88|/min|||||F'

describe('a message as a feed takes it', () => {
  it('is known by sender, facility and control id, and by its content without the time of sending', () => {
    const mapped = map(oru('M1', HR))
    if (mapped.kind !== 'mapped') throw new Error(mapped.fault.detail)
    expect([mapped.source, mapped.id]).toEqual(['hl7:lab', 'LAB|WARD7|M1'])
    const later = map(Buffer.from(oru('M1', HR).toString().replace('20260314115900+0000', '20260314120100+0000')))
    expect(later.kind === 'mapped' && later.content.equals(mapped.content)).toBe(true)
    expect(mapped.content.toString()).not.toContain('20260314115900')
  })
  it('without a control id is known by its content', () => {
    const ids = [HR, HR, HR.replace('88', '89')].map(row => { const mapped = map(oru('', row)); return mapped.kind === 'mapped' ? mapped.id : '' })
    expect(ids[0]).toMatch(/^LAB\|WARD7\|[0-9a-f]{64}$/)
    expect([ids[0] === ids[1], ids[0] === ids[2]]).toEqual([true, false])
  })
  it('that cannot be read is rejected as a value, whatever the bytes', () => {
    for (const [raw, cause] of [['', 'not-hl7'], ['GET / HTTP/1.1\r\n', 'not-hl7'], ['MSH|^~\\&|A\rMSH|^~\\&|B\r', 'malformed']] as const) {
      expect(map(Buffer.from(raw))).toMatchObject({ kind: 'rejected', fault: { cause } })
    }
  })
})

describe('a refused row', () => {
  const bad = 'OBX|2|NM|8310-5^Temp^LN||366|Cel'
  const mapped = map(oru('M1', HR, bad, 'ORC|RE|P2|F2', 'OBR|2|||Q^Q^L|||20260314100000+0000', 'OBX|3|NM|2160-0^^LN||9000'))
  const refused = mapped.kind === 'mapped' ? mapped.refused : []
  it('is a small message of its own, with a control id of its own', () => {
    expect(lines(refused[0]?.raw)).toEqual([lines(oru('M1ROW5'))[0], ...lines(oru('x')).slice(1), bad])
    expect(lines(refused[1]?.raw).map(line => line.slice(0, 3))).toEqual(['MSH', 'PID', 'ORC', 'OBR', 'OBX'])
  })
  it('is read again as what it was', () => {
    for (const one of refused) {
      const again = map(one.raw)
      if (again.kind !== 'mapped') throw new Error(again.fault.detail)
      expect(again.refused.map(r => r.fault.cause)).toEqual([one.fault.cause])
      expect(again.refused[0]?.raw).toEqual(one.raw)
    }
  })
  it('that is retried when the cause is gone publishes just that row', async () => {
    const intake = new FakeIntake(NOW)
    const table = { current: PLAIN_MAPPING, unmapped: () => {} }
    const feed = new Feed({ name: 'lab', kind: 'hl7', intake, mapping: table, map: hl7Mapper() })
    await feed.take(oru('M1', HR, 'OBX|2|NM|PULS^Pulse^L||77|/min|||||F'))
    expect([intake.values(), intake.causes()]).toEqual([[88], ['code-unknown']])
    table.current = { ...PLAIN_MAPPING, codes: new Map([['L|PULS', { concept: 'heartRate' }]]) }
    expect(await feed.take(intake.refused[0]!.raw)).toMatchObject({ kind: 'taken', published: 1, duplicates: 0 })
    expect(intake.values()).toEqual([88, 77])
    expect(await feed.take(intake.refused[0]!.raw)).toMatchObject({ kind: 'taken', published: 0, duplicates: 1 })
  })
  it('of lines that are no segments holds just these', () => {
    const odd = map(hl7(...lines(oru('M1', HR)), 'who knows'))
    expect(odd.kind === 'mapped' && odd.refused.map(r => lines(r.raw).slice(1))).toEqual([['who knows']])
  })
})
