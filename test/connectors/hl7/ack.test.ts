import { describe, expect, it } from 'vitest'
import { AckWriter, ackCodes } from '../../../connectors/hl7/ack.ts'
import { readHeader } from '../../../connectors/hl7/header.ts'
import { NOW } from './support.ts'

const header = (accept: string, apply: string): ReturnType<typeof readHeader> => readHeader(Buffer.from(`MSH|^~\\&|A|B|C|D|||ORU^R01|1|P|2.5.1|||${accept}|${apply}`))
const write = (msh: string, answer: Parameters<AckWriter['write']>[2] = { verdict: 'accepted' }): string => new AckWriter(NOW).write(readHeader(Buffer.from(msh, 'latin1')), 'AA', answer, NOW).toString('latin1')

describe('which answers a message gets', () => {
  it('in original mode: one', () => {
    expect((['accepted', 'error', 'rejected'] as const).map(v => ackCodes(header('', ''), v))).toEqual([['AA'], ['AE'], ['AR']])
    expect(ackCodes(undefined, 'rejected')).toEqual(['AR'])
  })
  it('in enhanced mode: what MSH-15 and MSH-16 ask for', () => {
    const all = (accept: string, apply: string): string => (['accepted', 'error', 'rejected'] as const).map(v => ackCodes(header(accept, apply), v).join('+')).join(' ')
    expect(all('AL', 'AL')).toBe('CA+AA CE CR')
    expect(all('AL', 'NE')).toBe('CA CE CR')
    expect(all('AL', '')).toBe('CA CE CR')
    expect(all('NE', 'AL')).toBe('AA AE AR')
    expect(all('ER', 'AL')).toBe('AA CE CR')
    expect(all('SU', 'ER')).toBe('CA AE AR')
  })
  it('where nothing is asked for: one all the same, for who waits', () => {
    expect(ackCodes(header('NE', 'NE'), 'accepted')).toEqual(['AA'])
    expect(ackCodes(header('ER', 'NE'), 'accepted')).toEqual(['AA'])
    expect(ackCodes(header('', 'NE'), 'rejected')).toEqual(['AR'])
  })
})

describe('an answer', () => {
  it('goes back to who sent it, in its version, character set and delimiters', () => {
    expect(write('MSH|^~\\&|APP^1.2^ISO|FAC|RAPP|RFAC|20260314||ORU^R01^ORU_R01|77|T|2.5.1^USA||||||8859/1\rPID|1'))
      .toBe(`MSH|^~\\&|RAPP|RFAC|APP^1.2^ISO|FAC|20260314120000+0000||ACK^R01^ACK|L${NOW.toString(36)}-1|T|2.5.1^USA||||||8859/1\rMSA|AA|77\r`)
    expect(write('MSH$%*?@$A$B$C$D$1$$ADT%A01$9$P$2.3')).toBe(`MSH$%*?@$C$D$A$B$20260314120000+0000$$ACK%A01$L${NOW.toString(36)}-1$P$2.3\rMSA$AA$9\r`)
  })
  it('echoes the sender\'s bytes, whatever their character set', () => {
    expect(write('MSH|^~\\&|Cl\xednica|B|C|D|1||ADT^A01|\xe1|P|2.5')).toContain('|Cl\xednica|')
  })
  it('says where a fault is, as its version can', () => {
    const answer = { verdict: 'rejected', fault: { cause: 'patient-missing', detail: '', at: { segment: 'PID', number: 2, field: 3 } } } as const
    expect(write('MSH|^~\\&|A|B|C|D|1||ADT^A01|1|P|2.5', answer)).toContain('\rERR||PID^2^3|101^Required field missing^HL70357|E||||patient-missing\r')
    expect(write('MSH|^~\\&|A|B|C|D|1||ADT^A01|1|P|2.3.1', answer)).toContain('\rERR|PID^2^3^101&Required field missing&HL70357\r')
  })
  it('to nobody is still an answer', () => {
    expect(new AckWriter(NOW).write(undefined, 'AR', { verdict: 'rejected' }, NOW).toString()).toMatch(/^MSH\|\^~\\&\|\|\|\|\|20260314120000\+0000\|\|ACK\|L\S+\|P\|2\.5\.1\rMSA\|AR\|\r$/)
  })
  it('has a control id of its own, each time', () => {
    const writer = new AckWriter(NOW)
    const id = (): string | undefined => writer.write(undefined, 'AR', { verdict: 'rejected' }, NOW).toString().split('|')[9]
    expect(new Set([id(), id(), id()]).size).toBe(3)
  })
})
