import type { ProcessorStatistics, RunningProcessor } from '../engine/index.ts'

/** What a worker's module exports: one member of the processor's group, with a log of its own. `options` is what the pool was given, copied. */
export interface WorkerModule { readonly open: (options: unknown) => Promise<RunningProcessor> }

/** How a thread is told what to run. */
export interface WorkerTask { readonly module: string, readonly options: unknown }

export type FromWorker =
  | { readonly kind: 'running' }
  | { readonly kind: 'statistics', readonly statistics: ProcessorStatistics }
  | { readonly kind: 'failed', readonly reason: string }

export interface ToWorker { readonly kind: 'stop' }

/** The part of a thread that the pool uses. */
export interface WorkerThread {
  readonly onMessage: (listener: (message: FromWorker) => void) => void
  readonly onExit: (listener: () => void) => void
  stop (): void
  terminate (): Promise<void>
  /** Share of the time since the last call in which the thread was busy, 0 to 1. */
  utilisation (): number
}
