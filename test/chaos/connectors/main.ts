/** `node --import tsx test/chaos/connectors/main.ts --rounds 200 --seed 1 --log embedded|kafka`: exit code 1 where something acknowledged is lost, or stands twice. */
import { parseArgs } from 'node:util'
import { connectorChaos } from './run.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' }, log: { type: 'string', default: 'embedded' } } })
const result = await connectorChaos({ rounds: Number(values.rounds), seed: Number(values.seed), log: values.log === 'kafka' ? 'kafka' : 'embedded', say: line => { process.stdout.write(`${line}\n`) } })
process.stdout.write(`${JSON.stringify(result)}\n`)
process.exit(result.lost + result.twice + result.unknown === 0 ? 0 : 1)
