// A member in a process of its own, so that it can be stopped whole: says when it has its record and an open transaction, then commits when told.
import { openNativeLog } from '../../../../../streams/log/kafka/native/index.ts'
import { KAFKA_DEFAULTS } from '../../../../../streams/log/kafka/options.ts'
import { isLatidoError } from '../../../../../streams/errors/index.ts'
import { systemClock } from '../../../../../streams/time/index.ts'

const [bootstrap = '', prefix = ''] = process.argv.slice(2)
const log = await openNativeLog({ ...KAFKA_DEFAULTS, brokers: [bootstrap], replication: 1, minInsyncReplicas: 1, sessionTimeoutMs: 3_000, clock: systemClock })
const member = log.consumer({ group: `${prefix}g`, instance: 'zombie', topics: [`${prefix}in`], from: 'earliest' })
while ((await member.poll(1_000)).length === 0);
const transaction = await log.transactionalProducer(`${prefix}zombie`)
transaction.append({ topic: `${prefix}out`, partition: 0 }, [{ key: null, value: Buffer.from('late') }])
process.stdout.write('ready\n')
await new Promise(resolve => process.stdin.once('data', resolve))
const outcome = await transaction.commit(member.metadata, [{ topic: `${prefix}in`, partition: 0, offset: 1 }]).then(() => 'committed', (e: unknown) => isLatidoError(e) ? e.code : String(e))
process.stdout.write(`${outcome}\n`)
process.exit(0)
