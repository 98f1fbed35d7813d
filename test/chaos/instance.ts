/** One instance of the processor under chaos, in a process of its own. SIGTERM: it leaves in good order. */
import { openSnapshotStore, openTopicSnapshots, startProcessor } from '../../streams/engine/index.ts'
import { isLatidoError } from '../../streams/errors/index.ts'
import { systemClock } from '../../streams/time/index.ts'
import { withBug, type Bug } from './bugs.ts'
import { counter, namesOf, topicsOf, type Snapshots } from './counter.ts'
import { openLog, type Driver } from './open-log.ts'

export interface InstanceOptions { readonly driver: Driver, readonly bootstrap: string, readonly run: string, readonly directory: string, readonly replication: number, readonly bug: Bug, readonly snapshots: Snapshots }

/** So that rows are written and read back often, in parts, and warm copies are taken over. */
const ENGINE = { pollWaitMs: 100, snapshotIntervalMs: 200, snapshotRowsMax: 15, standbyPartitionsMax: 2, standbyIntervalMs: 100 }

/** Over direct an heir ends what the dead one left open; over native it waits for the timeout. */
const TRANSACTION_TIMEOUT_MS = { direct: 60_000, native: 10_000 } as const

const say = (line: string): void => { process.stdout.write(`${new Date().toISOString()} ${line}\n`) }
const describe = (e: unknown): string => isLatidoError(e) ? `${e.code} ${e.message}${e.cause === undefined ? '' : ` <- ${describe(e.cause)}`}` : e instanceof Error ? e.stack ?? e.message : String(e)

async function main (options: InstanceOptions): Promise<void> {
  const names = namesOf(options.run)
  const log = await openLog(options.driver, options.bootstrap, options.replication, 'lz4', TRANSACTION_TIMEOUT_MS[options.driver])
  await log.ensureTopics(topicsOf(names))
  const snapshots = options.snapshots === 'disk' ? openSnapshotStore(options.directory) : openTopicSnapshots({ log, clock: systemClock, directory: options.directory })
  const processor = await startProcessor(counter(names), { log: withBug(log, options.bug), clock: systemClock, snapshots, options: ENGINE, onChange: say })
  process.once('SIGTERM', () => { void processor.stop() })
  say('running')
  await processor.run()
  await processor[Symbol.asyncDispose]()
  await snapshots[Symbol.asyncDispose]()
  await log[Symbol.asyncDispose]()
  say('left')
}

process.on('unhandledRejection', e => { say(`unhandled: ${describe(e)}`); process.abort() }) // `process.exit` hangs or crashes while LMDB writes
main(JSON.parse(process.argv[2] ?? '{}') as InstanceOptions).then(() => { process.exit(0) }, (e: unknown) => { say(`gave up: ${describe(e)}`); process.exit(2) })
