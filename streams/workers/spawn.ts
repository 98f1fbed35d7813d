import { Worker } from 'node:worker_threads'
import type { FromWorker, ToWorker, WorkerTask, WorkerThread } from './protocol.ts'

/** Starts a thread: from source in development, from compiled output otherwise. */
export function spawnThread (task: WorkerTask, name: string): WorkerThread {
  const entry = import.meta.url.endsWith('.ts') ? './thread-from-source.mjs' : './thread.js'
  const worker = new Worker(new URL(entry, import.meta.url), { workerData: task, execArgv: [], name })
  let before = worker.performance.eventLoopUtilization()
  return {
    onMessage: listener => { worker.on('message', (message: FromWorker) => { listener(message) }) },
    onExit: listener => {
      worker.on('error', error => { listener(); void error })
      worker.on('exit', listener)
    },
    stop: () => { worker.postMessage({ kind: 'stop' } satisfies ToWorker) },
    terminate: async () => { await worker.terminate() },
    utilisation: () => {
      const now = worker.performance.eventLoopUtilization()
      const { utilization } = worker.performance.eventLoopUtilization(now, before)
      before = now
      return utilization
    },
  }
}
