/** Settles one message of a client: without an error it is acknowledged. */
export type Settle = (error: Error | null) => void

interface Lane { tail: Promise<void>, failed: boolean }

/**
 * Acknowledges each client's messages in the order in which they came, though they are on their way to the log together
 * (MQTT-4.6.0-2). After a first failure nothing of that connection is acknowledged any more: the client sends it all again
 * on its next connection, and what had reached the log meanwhile is known there as a duplicate.
 */
export class Lanes {
  readonly #lanes = new WeakMap<object, Lane>()
  readonly #inFlight = new Set<Promise<void>>()

  run (client: object, work: () => Promise<void>, settle: Settle): void {
    const lane = this.#laneOf(client)
    if (lane.failed) { settle(new Error('an earlier message of this connection was not taken')); return }
    const outcome = work().then(() => undefined, (error: unknown) => error instanceof Error ? error : new Error(String(error)))
    const turn = lane.tail.then(async () => {
      const error = await outcome
      if (error !== undefined) lane.failed = true
      settle(lane.failed ? error ?? new Error('an earlier message of this connection was not taken') : null)
    })
    lane.tail = turn
    this.#inFlight.add(turn)
    void turn.finally(() => { this.#inFlight.delete(turn) })
  }

  /** Resolves when everything that was on its way when it was called is settled. */
  async drained (): Promise<void> { await Promise.allSettled(this.#inFlight) }

  #laneOf (client: object): Lane {
    let lane = this.#lanes.get(client)
    if (lane === undefined) { lane = { tail: Promise.resolve(), failed: false }; this.#lanes.set(client, lane) }
    return lane
  }
}
