import { describe, expect, it } from 'vitest'
import { fuzzMllp } from './run.ts'
import { framesOf, isStranger, owedFor } from './twin.ts'

describe('frames that are cut, merged and mutated at random', () => {
  it('are each answered as the twin says, in order, without a fault of ours', async () => {
    const { frames, owed, codes, counts, corpus } = await fuzzMllp({ frames: 20_000, seed: 7, connections: 8, deadlineMs: 60_000 })
    if (!corpus) console.log('WITHOUT CORPUS: the public HL7 messages are absent (../shared/data/hl7); made-up ones alone were mutated')
    expect(frames).toBeGreaterThanOrEqual(20_000)
    expect(owed).toBeGreaterThan(frames * 0.9)
    for (const code of ['AA', 'AR', 'CA', 'CR', 'batch']) expect([code, codes[code] ?? 0]).toEqual([code, expect.any(Number)])
    expect(Math.min(...['AA', 'AR', 'batch'].map(code => codes[code] ?? 0))).toBeGreaterThan(10)
    expect([...counts.keys()].filter(what => /failure|step-failed|timeouts|listener/.test(what))).toEqual([])
  }, 240_000)
})

describe('the twin', () => {
  const texts = (stream: string): string[] => framesOf(Buffer.from(stream, 'latin1'), 8).map(f => `${f.tooLarge ? '!' : ''}${f.payload.toString('latin1')}`)
  it('knows frames by hand', () => {
    expect(texts('\x0ba\x1c\r\x0bb\x1c\r')).toEqual(['a', 'b'])
    expect(texts('junk\x0ba\x1c\x0bb\x1cjunk\x1c\r')).toEqual(['a', 'b'])
    expect(texts('\x0bhalf\x0ba\x1c\r\x0bopen')).toEqual(['a'])
    expect(texts('\x0b12345678\x1c\r\x0b123456789\x1c\r\x0ba\x1c\r')).toEqual(['12345678', '!12345678', 'a'])
    expect(texts('\x0b123456789\x0ba\x1c')).toEqual(['!12345678', 'a'])
  })
  it('knows what is owed by hand', () => {
    const owed = (text: string, said: string): unknown => { const { mustReject, controlId, codes } = owedFor({ payload: Buffer.from(text), tooLarge: false }); return [mustReject, controlId, codes(said)] }
    expect(owed('MSH|^~\\&|A|B|C|D|1||ORU|77|P|2.5\r', 'AA')).toEqual([false, '77', ['AA']])
    expect(owed('MSH|^~\\&|A|B|C|D|1||ORU|77|P|2.5|||AL|AL\r', 'CA')).toEqual([false, '77', ['CA', 'AA']])
    expect(owed('MSH|^~\\&|A|B|C|D|1||ORU|77|P|2.5|||AL|AL\r', 'CR')).toEqual([false, '77', ['CR']])
    expect(owed('xMSH|^~\\&|A|B|C|D|1||ORU|77|P|2.5|||NE|NE\r', 'AR')).toEqual([true, '77', ['AR']])
    expect(owed('MSHX', 'AR')).toEqual([true, '', ['AR']])
    expect([isStranger(Buffer.from('GET / ')), isStranger(Buffer.from('\x0bGET / '))]).toEqual([true, false])
  })
})
