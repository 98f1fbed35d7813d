/** What the parent tells the engine's process, and what it answers; over the IPC channel, so the token stands in no argument and no environment. */
export interface OpenMessage {
  readonly type: 'open'
  readonly directory: string
  readonly token: string
  /** 0 lets the system choose; after a restart it is the former port, so clients need not know of the restart. */
  readonly port: number
}
export interface CloseMessage { readonly type: 'close' }
export type ToEngine = OpenMessage | CloseMessage

/** `missing`: this platform has no chdb. `port`: the port is taken. `locked`: another process has the directory (the parent reads that from standard error). */
export type EngineFailure = 'missing' | 'locked' | 'port' | 'other'
export type FromEngine =
  | { readonly type: 'ready', readonly port: number }
  | { readonly type: 'failed', readonly failure: EngineFailure, readonly detail: string }
