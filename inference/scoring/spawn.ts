import { Worker } from 'node:worker_threads'
import type { ModelFiles, WorkerLike } from './protocol.ts'

/** Starts the worker thread: from source in development, from compiled output otherwise. */
export function spawnWorker (models: readonly ModelFiles[]): WorkerLike {
  const entry = import.meta.url.endsWith('.ts') ? './worker-from-source.mjs' : './worker.js'
  return new Worker(new URL(entry, import.meta.url), { workerData: models, execArgv: [], name: 'latido-scorer' })
}
