import type { WirePipeline } from '../../../dashboards/server/wire.ts'
import { systemClock } from '../../../streams/time/index.ts'

export type { WireAlert, WirePipeline } from '../../../dashboards/server/wire.ts'

const POLL_MS = 10

/** GET, as JSON. Throws on another status than 200. */
export async function api<T> (base: string, path: string): Promise<T> {
  const response = await fetch(new URL(path, base))
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}`)
  return await response.json() as T
}

export async function pipelineOf (base: string): Promise<WirePipeline> { return await api<WirePipeline>(base, '/api/pipeline') }

export async function post (base: string, path: string, body: unknown): Promise<number> {
  const response = await fetch(new URL(path, base), { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  await response.arrayBuffer()
  return response.status
}

/** Asks until there is an answer; throws what it waited for when `withinMs` have gone. */
export async function until<T> (what: string, probe: () => Promise<T | undefined> | T | undefined, withinMs = 60_000): Promise<T> {
  const endMs = systemClock.monotonicMs() + withinMs
  for (;;) {
    const answer = await probe()
    if (answer !== undefined) return answer
    if (systemClock.monotonicMs() > endMs) throw new Error(`waited ${withinMs} ms in vain: ${what}`)
    await systemClock.sleep(POLL_MS)
  }
}
