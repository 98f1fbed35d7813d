import { parentPort, workerData } from 'node:worker_threads'
import { assert, messageOf } from '../errors/index.ts'
import { systemClock } from '../time/index.ts'
import type { FromWorker, WorkerModule, WorkerTask } from './protocol.ts'

const STATISTICS_MS = 500

/** A thread's whole life: opens its member, runs it until told to stop, closes it. */
async function main (): Promise<void> {
  assert(parentPort !== null, 'this file runs in a worker thread')
  const port = parentPort
  const say = (message: FromWorker): void => { port.postMessage(message) }
  const { module, options } = workerData as WorkerTask
  try {
    const { open } = await import(module) as WorkerModule
    await using member = await open(options)
    const running = member.run()
    port.on('message', () => { void member.stop() }) // `stop` is all there is to be told
    const stopTelling = systemClock.every(STATISTICS_MS, () => { say({ kind: 'statistics', statistics: { ...member.statistics } }) })
    say({ kind: 'running' })
    await running
    stopTelling()
    say({ kind: 'statistics', statistics: { ...member.statistics } })
  } catch (e) {
    say({ kind: 'failed', reason: messageOf(e) })
  } finally {
    port.close()
  }
}

await main()
