import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readBatches } from '../../../connectors/hl7/batch.ts'
import { readHl7File } from '../../../connectors/hl7/index.ts'
import { listener, msa, oru, RawClient } from './support.ts'

const message = (id: number): string => `MSH|^~\\&|A|B|C|D|20260314||ORU^R01|${id}|P|2.5.1\rPID|1||1\r`
const mismatches = (text: string): unknown => { const read = readBatches(Buffer.from(text), 1_000); return read.kind === 'batches' ? [read.batches.flatMap(b => b.messages).length, read.mismatches] : read.kind }

describe('the trailers of batches', () => {
  it('that count what stands before them say nothing', () => {
    expect(mismatches(`FHS|^~\\&\rBHS|^~\\&\r${message(1)}${message(2)}BTS|2\rBHS|^~\\&\r${message(3)}BTS|1|all\rFTS|2\r`)).toEqual([3, []])
    expect(mismatches(`BHS|^~\\&\r${message(1)}BTS\rFTS||two\r`)).toEqual([1, []])
    expect(mismatches(`BHS$%*?@\r${message(1)}BTS$1$x\r`)).toEqual([1, []])
  })
  it('that count otherwise are told, and what came is taken', () => {
    expect(mismatches(`FHS|^~\\&\rBHS|^~\\&\r${message(1)}BTS|2\rFTS|3\r`)).toEqual([1, ['BTS-1 counts 2 messages, 1 stand before it', 'FTS-1 counts 3 batches, 1 stand before it']])
  })
  it('are right exactly where they are, in a frame and in a file', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'latido-batch-'))
    const path = join(directory, 'b.hl7')
    await fc.assert(fc.asyncProperty(fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { minLength: 1, maxLength: 4 }), fc.nat(4), async (batches, said) => {
      const text = `FHS|^~\\&\r${batches.map(([n, trailer]) => `BHS|^~\\&\r${Array.from({ length: n }, (_, i) => message(i)).join('')}BTS|${trailer}\r`).join('')}FTS|${said}\r`
      const wrong = batches.filter(([n, trailer]) => n !== trailer).length + (said === batches.length ? 0 : 1)
      const read = readBatches(Buffer.from(text), 1_000)
      expect(read.kind === 'batches' && read.mismatches.length).toBe(wrong)
      await writeFile(path, text)
      const told: string[] = []
      let n = 0
      for await (const _ of readHl7File(path, what => { told.push(what) })) n++
      expect([n, told.length]).toEqual([batches.reduce((sum, [count]) => sum + count, 0), wrong])
    }), { numRuns: 50 })
    await rm(directory, { recursive: true })
  })
  it('of a frame are counted where they are wrong, and its messages are answered', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    await client.send(Buffer.concat([Buffer.from('BHS|^~\\&|A\r'), oru('M1', 'OBX|1|NM|8867-4^^LN||88'), Buffer.from('BTS|2\r')]))
    expect(msa((await client.until(1))[0])).toBe('AA|M1')
    expect([server.intake.counts.get('batch-count-mismatches'), server.intake.published.length]).toEqual([1, 1])
  })
})
