/** Settles one message of a client: without an error it is acknowledged. */
export type Settle = (error: Error | null) => void

/** `error` undefined: still on its way. */
interface Entry { error: Error | null | undefined, readonly settle: Settle }
interface Lane { readonly waiting: Entry[], failed: boolean }

/**
 * Acknowledges each client's messages in the order in which they came, though they are on their way to the log together
 * (MQTT-4.6.0-2). After a first failure nothing of that connection is acknowledged any more: the client sends it all again
 * on its next connection, and what had reached the log meanwhile is known there as a duplicate. One promise a message.
 */
export class Lanes {
  readonly #lanes = new WeakMap<object, Lane>()
  readonly #drained: (() => void)[] = []
  #inFlight = 0

  run (client: object, work: () => Promise<void>, settle: Settle): void {
    const lane = this.#laneOf(client)
    if (lane.failed) { settle(new Error('an earlier message of this connection was not taken')); return }
    const entry: Entry = { error: undefined, settle }
    lane.waiting.push(entry)
    this.#inFlight++
    const done = (error: Error | null): void => { entry.error = error; this.#settle(lane) }
    work().then(() => { done(null) }, (error: unknown) => { done(error instanceof Error ? error : new Error(String(error))) })
  }

  /** Resolves when everything that is on its way is settled. */
  drained (): Promise<void> {
    return new Promise(resolve => { if (this.#inFlight === 0) resolve(); else this.#drained.push(resolve) })
  }

  #settle (lane: Lane): void {
    const { waiting } = lane
    let settled = 0
    for (; settled < waiting.length; settled++) {
      const { error, settle } = waiting[settled]!
      if (error === undefined) break
      if (error !== null) lane.failed = true
      settle(lane.failed ? error ?? new Error('an earlier message of this connection was not taken') : null)
    }
    if (settled === 0) return
    waiting.splice(0, settled)
    this.#inFlight -= settled
    if (this.#inFlight === 0) for (const resolve of this.#drained.splice(0)) resolve()
  }

  #laneOf (client: object): Lane {
    let lane = this.#lanes.get(client)
    if (lane === undefined) { lane = { waiting: [], failed: false }; this.#lanes.set(client, lane) }
    return lane
  }
}
