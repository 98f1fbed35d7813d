import { expect, it } from 'vitest'
import { waitingOnlineStore, type OnlineRow, type OnlineStore } from '../../../features/online/index.ts'
import { LatidoError, type ErrorCode } from '../../../streams/errors/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { row } from './contract.ts'

/** Fails as often as it is told to. */
function failing (times: number, code: ErrorCode): OnlineStore & { readonly taken: OnlineRow[][] } {
  const taken: OnlineRow[][] = []
  return {
    taken,
    put: rows => { if (times-- > 0) return Promise.reject(new LatidoError(code, 'away', 'wait')); taken.push([...rows]); return Promise.resolve() },
    get: () => Promise.resolve([]), scan: () => Promise.resolve([]), erase: () => Promise.resolve(), [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
const impatient = { ...systemClock, sleep: () => Promise.resolve() }
const rows = [row('t', 'a', 1)]

it('says a write again until it is taken, and tells each change of state once', async () => {
  const store = failing(5, 'ONLINE_UNAVAILABLE')
  const changes: unknown[] = []
  let retries = 0
  const waiting = waitingOnlineStore(store, { clock: impatient, onChange: (state, failure) => { changes.push([state, failure?.code]) }, onRetry: () => { retries++ } })
  await waiting.put(rows)
  await waiting.put([])
  expect([store.taken, changes, retries, waiting.state]).toEqual([[rows, []], [['away', 'ONLINE_UNAVAILABLE'], ['on', undefined]], 5, 'on'])
})

it('does not wait for what waiting does not mend', async () => {
  const waiting = waitingOnlineStore(failing(1, 'ONLINE_DENIED'), { clock: impatient, onChange: () => { expect.unreachable() } })
  await expect(waiting.put(rows)).rejects.toMatchObject({ code: 'ONLINE_DENIED' })
})

it('lets a write that waits fail when the process is to stop', async () => {
  const waiting = waitingOnlineStore(failing(Infinity, 'ONLINE_FULL'), { clock: systemClock, onChange: () => { waiting.giveUp() } })
  await expect(waiting.put(rows)).rejects.toMatchObject({ code: 'ONLINE_FULL' })
})
