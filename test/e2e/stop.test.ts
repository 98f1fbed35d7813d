import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { systemClock } from '../../streams/time/index.ts'
import { tempDir } from '../kit/temp-dir.ts'
import { SeededRandom } from '../kit/random.ts'
import { freePorts } from '../kit/servers/index.ts'
import { MllpClient, startCli, until } from './kit/index.ts'
import { runHospital, runMonitor, type Acknowledged } from './kit/senders.ts'

async function stopped (end: Promise<{ readonly code: number | null, readonly signal: NodeJS.Signals | null }>): Promise<number> {
  const startedMs = systemClock.monotonicMs()
  expect(await end).toEqual({ code: 0, signal: null })
  return systemClock.monotonicMs() - startedMs
}

it('Ctrl-C and termination stop an idle instance, release its directory, and it starts again', async () => {
  const dir = tempDir()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    await using cli = await startCli({ dataDir: dir.path })
    const tookMs = await stopped(cli.end(signal))
    console.log(`${signal}: stopped in ${tookMs.toFixed(0)} ms`)
    expect(cli.stderr).toBe('')
    expect(cli.stdout).toMatch(/stopped; the next start goes on from here\n$/)
    expect(existsSync(join(dir.path, 'latido.lock'))).toBe(false)
  }
  dir.remove()
})

it('Ctrl-C stops an instance in the middle of busy input, with senders that never pause, and nothing acknowledged is lost', async () => {
  const dir = tempDir()
  const [mllpPort = 0, mqttPort = 0] = await freePorts(2)
  const options = { dataDir: dir.path, mllpPort, mqttPort }
  const acknowledged: Acknowledged = new Set()
  const stop = new AbortController()
  await using first = await startCli(options)
  const senders = [runHospital('S', options.mllpPort, new SeededRandom(1), acknowledged, stop.signal), runMonitor('sm', options.mqttPort, new SeededRandom(2), acknowledged, stop.signal)]
  using idle = await MllpClient.open(options.mllpPort) // a connection that only stays open
  using half = await MllpClient.open(options.mllpPort)
  half.raw(Buffer.from('\x0bMSH|^~\\&|HALF')) // and one in the middle of a message
  await using live = await liveStream(first.url)
  await until('messages', () => acknowledged.size > 100 ? true : undefined)
  const tookMs = await stopped(first.end('SIGINT'))
  console.log(`stopped under load in ${tookMs.toFixed(0)} ms`)
  expect(first.stderr).toBe('')
  expect(idle.closed).toBe(true)
  await live.ended
  await using second = await startCli(options)
  const before = acknowledged.size
  await until('messages after the restart', () => acknowledged.size > before + 50 ? true : undefined)
  stop.abort()
  await Promise.all(senders)
  await stopped(second.end('SIGINT'))
  dir.remove()
})

/** A page that watches: its connection must not hold the process. */
async function liveStream (url: string): Promise<{ readonly ended: Promise<void> } & AsyncDisposable> {
  const abort = new AbortController()
  const response = await fetch(new URL('/api/live', url), { signal: abort.signal })
  const read = async (): Promise<void> => { for await (const _ of response.body!) { /* until the server ends it */ } }
  const ended = read().catch(() => undefined)
  return { ended, [Symbol.asyncDispose]: async () => { abort.abort(); await ended } }
}
