import { useCallback, useEffect, useState } from 'react'
import type { WireError } from '../../server/wire.ts'
import { every } from './shell/browser-clock.ts'

/** A refusal of the API, in its own words. */
export class ApiFailure extends Error {
  readonly status: number
  readonly code: string
  constructor (status: number, code: string, message: string) { super(message); this.status = status; this.code = code }
}

async function failureOf (response: Response): Promise<ApiFailure> {
  const body = await response.json().catch(() => undefined) as WireError | undefined
  return new ApiFailure(response.status, body?.error.code ?? '', body?.error.message ?? response.statusText)
}

async function getJson<T> (url: string, signal: AbortSignal): Promise<{ readonly data: T, readonly headers: Headers }> {
  const response = await fetch(url, { signal, headers: { accept: 'application/json' } })
  if (!response.ok) throw await failureOf(response)
  return { data: await response.json() as T, headers: response.headers }
}

/** Bytes as they are; not kept by the browser. Rejects with ApiFailure. */
export async function getBytes (url: string): Promise<ArrayBuffer> {
  const response = await fetch(url, { cache: 'no-store' }).catch((error: unknown) => { throw new ApiFailure(0, 'UNREACHABLE', String(error instanceof Error ? error.message : error)) })
  if (!response.ok) throw await failureOf(response)
  return await response.arrayBuffer()
}

interface Answered<T> { readonly data: T | undefined, readonly headers?: Headers, readonly failure: ApiFailure | undefined }
export interface Polled<T> extends Answered<T> {
  /** Asks once more now. */
  refresh (): void
}

/** Asks for `url` now and each `ms`; undefined asks for nothing. The last good answer stays while a later one fails. */
export function usePolled<T> (url: string | undefined, ms: number): Polled<T> {
  const [answer, setAnswer] = useState<Answered<T> & { readonly url: string | undefined }>({ url, data: undefined, failure: undefined })
  const [turn, setTurn] = useState(0)
  const refresh = useCallback((): void => { setTurn(n => n + 1) }, [])
  const ask = useCallback(async (signal: AbortSignal): Promise<void> => {
    if (url === undefined) return
    try {
      const answered = await getJson<T>(url, signal)
      if (!signal.aborted) setAnswer({ url, ...answered, failure: undefined })
    } catch (error) {
      if (signal.aborted) return
      const failure = error instanceof ApiFailure ? error : new ApiFailure(0, 'UNREACHABLE', String(error instanceof Error ? error.message : error))
      setAnswer(last => last.url === url ? { ...last, failure } : { url, data: undefined, failure })
    }
  }, [url])
  useEffect(() => {
    const abort = new AbortController()
    void ask(abort.signal)
    const stop = every(ms, () => { void ask(abort.signal) })
    return () => { stop(); abort.abort() }
  }, [ask, ms, turn])
  return answer.url === url ? { ...answer, refresh } : { data: undefined, failure: undefined, refresh }
}

/** Sends and answers what comes back. Rejects with ApiFailure, also where nothing answers. */
export async function postJson<T> (url: string, body: object): Promise<T> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }).catch((error: unknown) => { throw new ApiFailure(0, 'UNREACHABLE', String(error instanceof Error ? error.message : error)) })
  if (!response.ok) throw await failureOf(response)
  return await response.json() as T
}

/** What became of something that was sent. */
export type Sending = { readonly kind: 'idle' | 'sending' } | { readonly kind: 'done', readonly text: string } | { readonly kind: 'failed', readonly reason: string }

/** Resolves when the log has the acknowledgement; the alert changes on the live stream. Rejects with ApiFailure. */
export async function acknowledge (alertId: string, by: string): Promise<void> {
  const response = await fetch(`/api/alerts/${encodeURIComponent(alertId)}/acknowledge`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ by }) })
  if (!response.ok) throw await failureOf(response)
}
