import { systemClock } from '../../../streams/time/index.ts'
import { parseConfig } from '../../config/index.ts'
import { startServing } from '../../run/index.ts'
import type { Command } from './command.ts'
import { stopSignal } from './stop-signal.ts'

export const serveFeatures: Command = {
  usage: '--redis redis://HOST:PORT [--http-port N] [--features DIR] [--redis-... X]',
  summary: 'Serves features online from Redis and does nothing else: several of them behind a balancer scale apart from the engine. The API, health, metrics and OpenAPI.',
  run: async args => {
    const config = parseConfig(args, process.env)
    const say = (line: string): void => { process.stdout.write(`latido: ${line}\n`) }
    const stop = stopSignal()
    await using serving = await startServing(config, systemClock, say)
    say(`features are served at ${serving.url}; Ctrl-C stops`)
    await stop
    say('stopping')
    return 0
  },
}
