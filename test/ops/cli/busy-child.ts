import { openEmbeddedLog } from '../../../streams/log/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { endOnFaults } from '../../../ops/cli/end-at-once.ts'
import { stopSignal } from '../../../ops/cli/commands/stop-signal.ts'

/** Writes to an embedded log in the directory of the first argument without a pause, then fails as the second says, or waits for signals. */
const [, , directory = '', how = ''] = process.argv
endOnFaults()
void stopSignal().then(() => { process.stdout.write('stopping\n') })
const log = await openEmbeddedLog({ directory, clock: systemClock })
await log.ensureTopics([{ name: 'busy', partitions: 4, timestamps: 'append', retentionMs: 0 }])
const producer = log.producer()
let n = 0
async function write (partition: number): Promise<void> {
  for (;;) {
    await producer.append({ topic: 'busy', partition }, [{ key: null, value: Buffer.alloc(8_000) }])
    if (++n % 10 === 0) await systemClock.sleep(0)
  }
}
for (let partition = 0; partition < 4; partition++) void write(partition)
process.stdout.write('busy\n')
await systemClock.sleep(how === '' ? 60_000 : 100 + n % 50)
if (how === 'rejects') void Promise.reject(new Error('nobody awaits this'))
if (how === 'throws') queueMicrotask(() => { throw new Error('nobody catches this') })
await systemClock.sleep(60_000)
process.exit(7)
