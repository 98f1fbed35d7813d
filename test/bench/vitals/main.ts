import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openSnapshotStore, startProcessor } from '../../../streams/engine/index.ts'
import { KAFKA_DEFAULTS, openEmbeddedLog, type ConsumerOptions, type Log, type KafkaOptions } from '../../../streams/log/index.ts'
import { fixedSchemas } from '../../../streams/processors/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { alerts } from './alert.ts'
import { OBSERVATION, vitals, type Window } from './processor.ts'
import { SCHEMA_ID } from './workload.ts'

const { values } = parseArgs({
  options: {
    topic: { type: 'string' }, out: { type: 'string' }, group: { type: 'string' }, 'state-dir': { type: 'string' },
    bootstrap: { type: 'string', default: '127.0.0.1:9092' },
    driver: { type: 'string', default: 'direct' },
    mode: { type: 'string', default: 'window' },
    window: { type: 'string', default: 'hop' },
    guarantee: { type: 'string', default: 'exactly-once' },
  },
})

function need (option: 'topic' | 'out' | 'group' | 'state-dir'): string {
  const value = values[option]
  if (value === undefined) throw new Error(`--${option} is missing`)
  return value
}

function oneOf<T extends string> (option: 'driver' | 'mode' | 'window' | 'guarantee', known: readonly T[]): T {
  const value = known.find(k => k === values[option])
  if (value === undefined) throw new Error(`--${option} is one of ${known.join(', ')}`)
  return value
}

async function openLog (directory: string): Promise<Log> {
  const driver = oneOf('driver', ['direct', 'native', 'embedded'])
  const clock = systemClock
  if (driver === 'embedded') return await openEmbeddedLog({ directory: join(directory, 'log'), clock })
  const options: KafkaOptions = { ...KAFKA_DEFAULTS, brokers: [values.bootstrap], driver, replication: 1, minInsyncReplicas: 1, compression: 'none', clock }
  // One driver is loaded: the other would cost its start.
  if (driver === 'direct') return await (await import('../../../streams/log/kafka/direct/index.ts')).openDirectLog(options)
  return await (await import('../../../streams/log/kafka/native/index.ts')).openNativeLog(options)
}

/** Says when the first record comes. */
function announced (log: Log): Log {
  let first = true
  return new Proxy(log, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property, target)
      if (property !== 'consumer') return typeof value === 'function' ? value.bind(target) as unknown : value
      return (options: ConsumerOptions) => {
        const consumer = target.consumer(options)
        const poll = consumer.poll.bind(consumer)
        consumer.poll = async maxWaitMs => {
          const runs = await poll(maxWaitMs)
          if (first && runs.length > 0) process.stdout.write(`FIRST_RECORD ${systemClock.now()}\n`)
          first &&= runs.length === 0
          return runs
        }
        return consumer
      }
    },
  })
}

const directory = need('state-dir')
const window: Window = oneOf('window', ['hop', 'tumble'])
await using log = await openLog(directory)
for (const topic of [need('topic'), need('out')]) await log.range({ topic, partition: 0 }) // topics of somebody else: looked at, not provisioned
await using snapshots = openSnapshotStore(join(directory, 'snapshots'))
const definition = await (oneOf('mode', ['window', 'alert']) === 'window' ? vitals(need('group'), need('topic'), need('out'), window) : alerts(need('group'), need('topic'), need('out'))).open(fixedSchemas({ [SCHEMA_ID]: OBSERVATION }))
await using processor = await startProcessor(definition, { log: announced(log), clock: systemClock, snapshots, options: { guarantee: oneOf('guarantee', ['exactly-once', 'at-least-once']) }, onChange: what => { process.stderr.write(`${what}\n`) } })

let stopping = false
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => { stopping = true; void processor.stop() })
process.stdout.write('RUNNING\n')
if (!stopping) await processor.run()
process.stdout.write(`STATISTICS ${JSON.stringify(processor.statistics)}\n`)
