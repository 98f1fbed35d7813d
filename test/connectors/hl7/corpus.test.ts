import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ackCodes } from '../../../connectors/hl7/ack.ts'
import { readHl7File, sendHl7 } from '../../../connectors/hl7/index.ts'
import { readHeader } from '../../../connectors/hl7/header.ts'
import { listener, msa, oru, RawClient } from './support.ts'

const CORPUS = new URL('../../../../shared/data/hl7/messages.jsonl', import.meta.url).pathname
const present = existsSync(CORPUS)
if (!present) console.log('SKIPPED: the corpus of public HL7 messages is absent (../shared/data/hl7/messages.jsonl)')

const corpus = async (): Promise<Buffer[]> => { const all: Buffer[] = []; for await (const raw of readHl7File(CORPUS)) all.push(raw); return all }

describe.skipIf(!present)('public HL7 messages of many senders', () => {
  it('are each answered once, by the answers that they ask for, on one connection', async () => {
    await using server = await listener()
    server.intake.nowMs = Date.UTC(2026, 10, 1)
    using client = new RawClient(server.port)
    const messages = await corpus()
    expect(messages).toHaveLength(329)
    let answered = 0
    for (const raw of messages) {
      await client.send(raw)
      answered++
      const code = msa((await client.until(answered))[answered - 1]).split('|')[0] ?? ''
      const header = readHeader(raw)
      expect(msa(client.answers[answered - 1]).split('|')[1]).toBe(header?.field(10))
      const expected = ackCodes(header, /[AC]A/.test(code) ? 'accepted' : 'rejected')
      expect(expected[0]).toBe(code)
      if (expected.length > 1) { answered++; await client.until(answered) }
    }
    await client.send(oru('LAST', 'OBX|1|NM|8867-4^^LN||88'))
    expect(msa((await client.until(answered + 1)).at(-1))).toBe('AA|LAST')
    expect(client.answers).toHaveLength(answered + 1)
    expect([...server.intake.counts.keys()].filter(what => /failure|AE|CE|partial|junk|error/.test(what))).toEqual([])
    expect(server.intake.refused.filter(r => r.cause === 'step-failed' || r.cause === 'not-hl7')).toEqual([])
  }, 60_000)

  it('are each answered when all come at once, in order', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    const messages = await corpus()
    await client.send(...messages)
    const expected = messages.reduce((n, raw) => n + (ackCodes(readHeader(raw), 'accepted').length > 1 ? 1 : 0), messages.length)
    await client.until(messages.length)
    await client.send(oru('LAST', 'OBX|1|NM|8867-4^^LN||88'))
    while (msa(client.answers.at(-1)) !== 'AA|LAST') await client.until(client.answers.length + 1)
    expect(client.answers.length).toBeLessThanOrEqual(expected + 1)
    const order = client.answers.map(a => msa(a).split('|')[1] ?? '').filter((id, i, all) => id !== all[i - 1])
    expect(order).toEqual([...messages.map(m => readHeader(m)?.field(10) ?? ''), 'LAST'].filter((id, i, all) => id !== all[i - 1]))
  }, 60_000)

  it('are sent by our own client too, each with one final answer', async () => {
    await using server = await listener()
    const codes: string[] = []
    const result = await sendHl7({ host: '127.0.0.1', port: server.port, messages: readHl7File(CORPUS), onAck: code => { codes.push(code) } })
    expect([result.sent, codes.length, result.codes['none'], result.codes['?']]).toEqual([329, 329, undefined, undefined])
  }, 60_000)

  it('cut anywhere, are answered and stall nothing', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    const messages = await corpus()
    const cut = messages.map((raw, i) => raw.subarray(0, (i * 7919) % (raw.length + 1)))
    await client.send(...cut)
    await client.send(oru('LAST', 'OBX|1|NM|8867-4^^LN||88'))
    while (msa(client.answers.at(-1)) !== 'AA|LAST') await client.until(client.answers.length + 1)
    expect(client.answers.length).toBeGreaterThanOrEqual(330)
    expect(server.intake.refused.filter(r => r.cause === 'step-failed')).toEqual([])
  }, 60_000)
})
