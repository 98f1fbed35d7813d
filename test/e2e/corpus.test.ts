import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readHl7File } from '../../connectors/hl7/index.ts'
import { systemClock } from '../../streams/time/index.ts'
import { tempDir } from '../kit/temp-dir.ts'
import { api, chartedSet, codeOf, MllpClient, pipelineOf, STABLE, startCli, until } from './kit/index.ts'

const CORPUS = new URL('../../../shared/data/hl7/messages.jsonl', import.meta.url).pathname
const present = existsSync(CORPUS)
if (!present) console.log('SKIPPED: the corpus of public HL7 messages is absent (../shared/data/hl7/messages.jsonl)')

describe.skipIf(!present)('329 public HL7 messages of many senders, through a running instance', () => {
  it('are each answered; what was refused is visible; the instance is well', async () => {
    const dir = tempDir()
    await using cli = await startCli({ dataDir: dir.path })
    using sender = await MllpClient.open(cli.mllpPort)
    const codes: Record<string, number> = {}
    let sent = 0
    for await (const message of readHl7File(CORPUS)) {
      sent++
      const answer = await sender.exchange(message)
      expect(answer, `message ${sent}`).toBeDefined()
      const code = codeOf(answer!)
      codes[code] = (codes[code] ?? 0) + 1
      // A message that asks for a commit and an application answer gets both.
      if (code === 'CA') await until('the second answer', () => sender.answers.length > 0 && /^A[AER]$|^C[ER]$/.test(codeOf(sender.answers.at(-1)!)) ? true : undefined, 500).catch(() => undefined)
    }
    expect(sent).toBe(329)
    expect(Object.keys(codes).filter(code => !/^[AC][AER]$/.test(code))).toEqual([])
    expect((await fetch(new URL('/healthz', cli.url))).status).toBe(200)
    const status = await until('the dead letters', async () => { const s = await pipelineOf(cli.url); return s.deadLetters.total > 0 ? s : undefined })
    console.log(`answers: ${JSON.stringify(codes)}; dead letters: ${JSON.stringify(status.deadLetters.byCause)}`)
    expect(status.deadLetters.byCause['unsupported-type']).toBeGreaterThan(0)
    expect(status.deadLetters.byCause['step-failed']).toBeUndefined()
    expect(codeOf(await sender.exchange(chartedSet('LAST', 'CORPUS-1', STABLE, systemClock.now())) ?? '')).toBe('AA')
    await until('the last patient', async () => (await api<{ id: string }[]>(cli.url, '/api/patients?limit=1000')).find(p => p.id === 'CORPUS-1'))
    expect(await cli.end('SIGINT')).toEqual({ code: 0, signal: null })
    dir.remove()
  })
})
