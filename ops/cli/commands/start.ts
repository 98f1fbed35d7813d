import { systemClock } from '../../../streams/time/index.ts'
import { CONFIG_OPTIONS, parseConfig } from '../../config/index.ts'
import { startLatido } from '../../run/index.ts'
import type { Command } from './command.ts'
import { stopSignal } from './stop-signal.ts'

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
