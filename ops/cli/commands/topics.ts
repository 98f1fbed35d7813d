import { LatidoError } from '../../../streams/errors/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { parseConfig } from '../../config/index.ts'
import { isProvisioned, openProvisioning, renderCluster } from '../../run/index.ts'
import type { Command } from './command.ts'

const VERBS = ['plan', 'apply', 'check'] as const

/** Exit code of a check that found something to do. */
const UNFIT = 4

export const topics: Command = {
  usage: 'plan|apply|check --kafka HOST:PORT,... --schema-registry URL [--partitions N] [--retention "7 d"] [--topic-prefix P] [--kafka-... X]',
  summary: 'The topics and schemas of a Kafka cluster, by the options of start: plan shows what is missing or wrong, apply makes and mends it, check ends with exit code 4 if there is anything to do.',
  run: async ([verb = '', ...args]) => {
    if (!VERBS.some(v => v === verb)) throw new LatidoError('CONFIG_INVALID', `topics cannot "${verb}"`, 'say plan, apply or check')
    const config = parseConfig(args, process.env)
    if (config.kafka === undefined) throw new LatidoError('CONFIG_INVALID', 'topics needs --kafka', 'give the brokers; the embedded log makes its topics by itself')
    await using provisioning = await openProvisioning(config, config.kafka, systemClock)
    const plan = await provisioning.plan()
    process.stdout.write(`${renderCluster(plan)}\n`)
    if (verb === 'plan' || isProvisioned(plan)) return 0
    if (verb === 'check') return UNFIT
    await provisioning.apply(plan)
    const after = await provisioning.plan()
    if (!isProvisioned(after)) { process.stdout.write(`${renderCluster(after)}\n`); return UNFIT }
    process.stdout.write('latido: topics and schemas are ready\n')
    return 0
  },
}
