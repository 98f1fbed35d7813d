import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TOPICS, type PatientKey } from '../../../streams/events/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { openHouse, read, type House } from '../kit/house.ts'
import { adt, hl7Feed, NOW, oru } from './support.ts'

let directory: ReturnType<typeof tempDir>
let house: House
beforeEach(async () => {
  directory = tempDir()
  house = await openHouse(directory.path, new ManualClock(NOW), { identify: ({ id }) => Promise.resolve(`key-${id}` as PatientKey) })
})
afterEach(async () => { await house.close(); directory.remove() })

const EVN = (at = '110000'): string => `EVN||20260314${at}+0000`
let sent = 0
const take = async (trigger: string, ...segments: string[]): Promise<string> => {
  const taken = await hl7Feed(house.intake).take(adt(trigger, `M${++sent}`, ...segments))
  return taken.kind === 'taken' ? `taken ${taken.published}` : `${taken.kind} ${taken.fault.cause}`
}
/** Key and kind of every event, as the log has them. */
const records = async (): Promise<readonly string[]> => (await read(house.log, TOPICS.events, r => ({ key: r.keyBuffer.toString('utf8', r.keyStart, r.keyEnd), event: house.codecs.decode(r) })))
  .map(({ key, event }) => `${key} ${event.kind === 'ok' ? event.value.type === 'merge' ? `into ${event.value.survivor}` : event.value.type : event.kind}`).toSorted()

describe('merges on the log', () => {
  it('stand under the key that goes, and what comes for it afterwards is the survivor\'s', async () => {
    expect(await take('A40', EVN(), 'PID|1||NEW', 'MRG|OLD')).toBe('taken 1')
    await hl7Feed(house.intake).take(Buffer.from(oru('R1', 'OBX|1|NM|8867-4^^LN||88').toString().replace('TEST-1', 'OLD')))
    expect(await records()).toEqual(['key-NEW observations', 'key-OLD into key-NEW'])
  })
  it('that would close a circle are refused, over any number of messages, with their bytes kept', async () => {
    expect([await take('A40', EVN(), 'PID|1||B', 'MRG|A'), await take('A40', EVN(), 'PID|1||C', 'MRG|B'), await take('A40', EVN(), 'PID|1||A', 'MRG|C'), await take('A40', EVN(), 'PID|1||B', 'MRG|A')]).toEqual(['taken 1', 'taken 1', 'refused merge-loop', 'taken 1'])
    expect(await take('A40', EVN(), 'PID|1||A', 'MRG|B')).toBe('refused merge-loop')
    const letters = await read(house.log, TOPICS.deadLetters, r => house.codecs.decodeDeadLetter(r).cause)
    expect(letters).toEqual(['merge-loop', 'merge-loop'])
  })
  it('of people whom nobody knows are taken, and carry the bed of the one who goes', async () => {
    await take('A01', EVN(), 'PID|1||OLD', 'PV1|1|I|W^R^B1')
    expect(await take('A40', EVN(), 'PID|1||NEW', 'MRG|OLD')).toBe('taken 1')
    expect(house.intake.patientInBed('W', 'B1')).toBe('NEW')
  })
})

describe('movements that are told out of order', () => {
  it('throw nobody out of a bed who came later', async () => {
    await take('A01', EVN('110000'), 'PID|1||BEN', 'PV1|1|I|W^R^B1')
    await take('A02', EVN('100000'), 'PID|1||ANA', 'PV1|1|I|W^R^B1')
    expect(house.intake.patientInBed('W', 'B1')).toBe('BEN')
  })
  it('a discharge before its admission, or of somebody who never came, empties no bed of another', async () => {
    await take('A01', EVN('110000'), 'PID|1||BEN', 'PV1|1|I|W^R^B1')
    expect(await take('A03', EVN('113000'), 'PID|1||NOBODY', 'PV1|1|I|W^R^B1')).toBe('taken 1')
    expect([house.intake.patientInBed('W', 'B1'), house.counts.get('discharge-unknown')]).toEqual(['BEN', 1])
  })
  it('cancelled: the bed is as before the transfer, and the discharged is back', async () => {
    await take('A01', EVN('100000'), 'PID|1||ANA', 'PV1|1|I|W^R^B1')
    await take('A02', EVN('103000'), 'PID|1||ANA', 'PV1|1|I|W^R^B2|||W^R^B1')
    await take('A12', EVN('104000'), 'PID|1||ANA', 'PV1|1|I|W^R^B1')
    expect([house.intake.patientInBed('W', 'B1'), house.intake.patientInBed('W', 'B2')]).toEqual(['ANA', undefined])
    await take('A03', EVN('110000'), 'PID|1||ANA', 'PV1|1|I|W^R^B1')
    await take('A13', EVN('111000'), 'PID|1||ANA', 'PV1|1|I|W^R^B1')
    expect(house.intake.patientInBed('W', 'B1')).toBe('ANA')
    await take('A11', EVN('112000'), 'PID|1||ANA', 'PV1|1|I|W^R^B1')
    expect(house.intake.patientInBed('W', 'B1')).toBeUndefined()
  })
  it('two who swap beds lie in each other\'s', async () => {
    await take('A01', EVN('100000'), 'PID|1||ANA', 'PV1|1|I|W^R^B1')
    await take('A01', EVN('100000'), 'PID|1||BEN', 'PV1|1|I|W^R^B2')
    expect(await take('A17', EVN('110000'), 'PID|1||ANA', 'PV1|1|I|W^R^B2', 'PID|2||BEN', 'PV1|1|I|W^R^B1')).toBe('taken 2')
    expect([house.intake.patientInBed('W', 'B1'), house.intake.patientInBed('W', 'B2')]).toEqual(['BEN', 'ANA'])
  })
})
