import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { openEventCodecs, SchemaBook, TOPICS } from '../../../streams/events/index.ts'
import { openEmbeddedLog } from '../../../streams/log/index.ts'
import { systemClock } from '../../../streams/time/index.ts'

export const ROOT: string = new URL('../../../', import.meta.url).pathname

export interface Receiver { readonly process: ChildProcess, state: string, published: number, kill (signal: NodeJS.Signals): Promise<void> }

/** `test/kit/mqtt-receiver.ts` in a process of its own; ends with `closers`. */
export function receiver (directory: string, kind: 'mqtt' | 'mqtt-broker', options: object, closers: (() => Promise<unknown> | unknown)[]): Receiver {
  const child = spawn(process.execPath, ['--import', 'tsx', 'test/kit/mqtt-receiver.ts', directory, kind, JSON.stringify(options)], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const one: Receiver = { process: child, state: '', published: 0, kill: async signal => { child.kill(signal); await ended } }
  let rest = ''
  child.stdout.on('data', (bytes: Buffer) => {
    const lines = (rest + bytes.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) Object.assign(one, JSON.parse(line))
  })
  closers.push(async () => { if (child.exitCode === null && child.signalCode === null) await one.kill('SIGKILL') })
  return one
}

/** How often each message of each device stands in the log; the log is opened when nobody else has it open. `SOURCE VALUE@TIME,...` */
export async function inLog (directory: string): Promise<ReadonlyMap<string, number>> {
  const log = await openEmbeddedLog({ directory: join(directory, 'log'), clock: systemClock })
  const codecs = await openEventCodecs(await SchemaBook.open({ url: 'mock://', storage: { load: () => [], add: () => Promise.resolve() } }))
  const times = new Map<string, number>()
  for (let partition = 0; partition < log.partitionsOf(TOPICS.events); partition++) {
    const reader = log.reader({ topic: TOPICS.events, partition }, 0)
    for (let run = await reader.next(); run !== undefined; run = await reader.next()) {
      while (run.records.next()) {
        const event = codecs.decode(run.records)
        if (event.kind !== 'ok' || event.value.type !== 'observations') continue
        const key = `${event.value.source} ${event.value.observations.map(o => `${o.value}@${o.eventTime}`).join()}`
        times.set(key, (times.get(key) ?? 0) + 1)
      }
    }
  }
  await log[Symbol.asyncDispose]()
  return times
}

export function twice (times: ReadonlyMap<string, number>): number { return [...times.values()].filter(n => n > 1).length }
