import { useSyncExternalStore } from 'react'
import type { WireBoard, WirePipeline } from '../../server/wire.ts'
import { browserNow, every, useBrowserNow } from './shell/browser-clock.ts'

/**
 * `lost`: the stream is cut, or open and silent for `SILENCE_MAX_MS` (the server sends the board at least each 5 s).
 * A distributed alarm system must say so at once (IEC 60601-1-8).
 */
export interface LiveState {
  readonly connection: 'connecting' | 'live' | 'lost'
  readonly board: WireBoard | undefined
  readonly pipeline: WirePipeline | undefined
  /** Browser time at which the newest board came. */
  readonly boardAt: number | undefined
  /** Server's clock minus the browser's. */
  readonly skewMs: number
}

const SILENCE_MAX_MS = 12_000
const CONNECT_MAX_MS = 6_000
const RETRY_MS = 3_000

let state: LiveState = { connection: 'connecting', board: undefined, pipeline: undefined, boardAt: undefined, skewMs: 0 }
const listeners = new Set<() => void>()
let startedAt = 0
let openedAt = 0
let source: EventSource | undefined

function set (change: Partial<LiveState>): void {
  state = { ...state, ...change }
  for (const listener of listeners) listener()
}

function open (): void {
  source?.close()
  openedAt = browserNow()
  source = new EventSource('/api/live')
  source.addEventListener('ward', ({ data }: MessageEvent<string>) => {
    const board = JSON.parse(data) as WireBoard
    const boardAt = browserNow()
    set({ connection: 'live', board, boardAt, skewMs: board.now - boardAt })
  })
  source.addEventListener('pipeline', ({ data }: MessageEvent<string>) => { set({ pipeline: JSON.parse(data) as WirePipeline }) })
  source.addEventListener('error', () => { set({ connection: 'lost' }) })
}

/** The browser retries a cut stream by itself, but gives up on a refused one, and does not notice a silent one. */
function watch (): void {
  const now = browserNow()
  const silentMs = now - (state.boardAt ?? startedAt)
  if (state.connection === 'live' && silentMs > SILENCE_MAX_MS) set({ connection: 'lost' })
  if (state.connection === 'connecting' && silentMs > CONNECT_MAX_MS) set({ connection: 'lost' })
  const givenUp = source?.readyState === EventSource.CLOSED || (state.connection === 'lost' && now - openedAt > SILENCE_MAX_MS)
  if (givenUp && now - openedAt > RETRY_MS) open()
}

/** Opens the stream; once, when the page starts. */
export function startLive (): void {
  startedAt = browserNow()
  open()
  every(1_000, watch)
}

export function useLive (): LiveState {
  return useSyncExternalStore(listener => { listeners.add(listener); return () => { listeners.delete(listener) } }, () => state)
}

/** The server's time now, ticking each second: ages are differences of the server's own times. */
export function useServerNow (): number { return useBrowserNow(1_000) + useLive().skewMs }
