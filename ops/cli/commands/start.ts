import { systemClock } from '../../../streams/time/index.ts'
import { CONFIG_OPTIONS, parseConfig } from '../../config/index.ts'
import { startLatido } from '../../run/index.ts'
import type { Command } from './command.ts'

export const start: Command = {
  usage: Object.keys(CONFIG_OPTIONS).map(name => `[--${name.replace(/[A-Z]/g, c => `-${c.toLowerCase()}`)} X]`).join(' '),
  summary: 'Runs everything: endpoints, engine, stores, pages, and a simulated ward unless --simulate off.',
  run: async args => {
    const config = parseConfig(args, process.env)
    const startedMs = systemClock.monotonicMs()
    const say = (line: string): void => { process.stdout.write(`latido: ${line}\n`) }
    const stop = stopSignal()
    const running = await startLatido(config, systemClock, say)
    say(running.endpoints.length === 0 ? 'no connectors: others take the messages' : `endpoints ${running.endpoints.join('  ')}`)
    say(`ready in ${((systemClock.monotonicMs() - startedMs) / 1_000).toFixed(1)} s; Ctrl-C stops. Open ${running.url}`)
    try {
      await Promise.race([stop, running.failed])
    } finally {
      say('stopping')
      await running[Symbol.asyncDispose]()
      say('stopped; the next start goes on from here')
    }
    return 0
  },
}

/** Resolves at the first Ctrl-C or termination; a second one ends the process at once. */
function stopSignal (): Promise<void> {
  return new Promise(resolve => {
    let stopping = false
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (stopping) process.exit(130)
        stopping = true
        resolve()
      })
    }
  })
}
