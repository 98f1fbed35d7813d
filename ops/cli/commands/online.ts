import { LatidoError } from '../../../streams/errors/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { parseConfig } from '../../config/index.ts'
import { rebuildOnlineOf } from '../../run/index.ts'
import type { Command } from './command.ts'

export const online: Command = {
  usage: 'rebuild [--redis URL] [--redis-... X] [--data-dir DIR] [--kafka HOST:PORT,... --schema-registry URL]',
  summary: 'By the options of start: rebuild fills an online store that has lost its rows from what the log still has. Newer rows stay. With the embedded log, stop Latido first; on Kafka instances may run, and --data-dir is a directory of its own.',
  run: async ([verb = '', ...args]) => {
    if (verb !== 'rebuild') throw new LatidoError('CONFIG_INVALID', `online cannot "${verb}"`, 'say rebuild')
    const { records, rows } = await rebuildOnlineOf(parseConfig(args, process.env), systemClock)
    process.stdout.write(`latido: ${rows} rows written from ${records} records of the log\n`)
    return 0
  },
}
