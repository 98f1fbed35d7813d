import { startProcessor, openSnapshotStore, type RunningProcessor } from '../../../streams/engine/index.ts'
import { addWhole, KAFKA_DEFAULTS, openKafkaLog, type TopicSpec } from '../../../streams/log/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { toyProcessor } from '../engine/toy.ts'

export interface MemberOptions { readonly brokers: readonly string[], readonly prefix: string, readonly directory: string }

export const topicsOf = (prefix: string): readonly TopicSpec[] => ['in', 'out', 'dead'].map(name => ({ name: `${prefix}.${name}`, partitions: 4, timestamps: 'create', retentionMs: 0 }))

/** A member of the toy's group, with a log of its own. */
export async function open (options: unknown): Promise<RunningProcessor> {
  const { brokers, prefix, directory } = options as MemberOptions
  const { log } = await openKafkaLog({ ...KAFKA_DEFAULTS, brokers, driver: 'direct', replication: 1, minInsyncReplicas: 1, clock: systemClock })
  await log.ensureTopics(topicsOf(prefix))
  const snapshots = openSnapshotStore(`${directory}/${crypto.randomUUID()}`)
  const running = await startProcessor({
    ...toyProcessor, name: `${prefix}.toy`, input: `${prefix}.in`, tickTopics: [],
    write: (e, out) => { const [key, value] = [Buffer.from(e.key), Buffer.from(e.out)]; addWhole(out(`${prefix}.out`), e.at, key, value) },
    deadLetter: refused => ({ topic: `${prefix}.dead`, key: null, value: refused.raw }),
  }, { log, clock: systemClock, snapshots })
  return new Proxy(running, { get: (target, property) => property === Symbol.asyncDispose
    ? async () => { await target[Symbol.asyncDispose](); await snapshots[Symbol.asyncDispose](); await log[Symbol.asyncDispose]() }
    : bound(target, property) })
}

function bound (target: RunningProcessor, property: string | symbol): unknown {
  const value: unknown = Reflect.get(target, property, target)
  return typeof value === 'function' ? value.bind(target) as unknown : value
}
