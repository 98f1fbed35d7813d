/** Starts an engine and waits to be killed; see engine.test.ts. */
import { startEngine } from '../../../../features/offline/index.ts'
import { systemClock } from '../../../../streams/time/index.ts'

const started = await startEngine({ directory: process.argv[2] as string, clock: systemClock })
if (started.kind === 'on') process.send?.({ url: started.engine.url })
systemClock.every(1000, () => {})
await systemClock.sleep(60_000)
