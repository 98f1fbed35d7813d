import type { FetchPartition, FetchRequest } from '../api/index.ts'
import type { Position } from './position.ts'

const NO_SESSION = 0
const FIRST_EPOCH = 0
const FINAL_EPOCH = -1
const EPOCH_MAX = 2 ** 31 - 1

interface Said { readonly topicId: string, readonly partition: number, readonly offset: number, readonly leaderEpoch: number, readonly lastEpoch: number }

/** What a broker remembers of our last fetch, so that only what changed is said again (KIP-227). */
export class FetchSession {
  #id = NO_SESSION
  #epoch = FIRST_EPOCH
  #turn = 0
  readonly #said = new Map<string, Said>()

  request (positions: readonly Position[], leaderEpochOf: (p: Position) => number, limits: { readonly maxWaitMs: number, readonly maxBytes: number }): FetchRequest {
    const wanted = new Set(positions.map(p => p.name))
    const forgotten = [...this.#said].filter(([name]) => !wanted.has(name))
    for (const [name] of forgotten) this.#said.delete(name)
    const partitions: FetchPartition[] = []
    for (const p of this.#id === NO_SESSION ? this.#rotated(positions) : positions) {
      const leaderEpoch = leaderEpochOf(p)
      const said = this.#said.get(p.name)
      if (said !== undefined && said.offset === p.offset && said.leaderEpoch === leaderEpoch && said.lastEpoch === p.lastEpoch && said.topicId === p.topicId) continue
      this.#said.set(p.name, { topicId: p.topicId, partition: p.partition, offset: p.offset, leaderEpoch, lastEpoch: p.lastEpoch })
      partitions.push({ topicId: p.topicId, partition: p.partition, leaderEpoch, offset: p.offset, lastFetchedEpoch: p.lastEpoch, maxBytes: p.maxBytes })
    }
    return { ...limits, sessionId: this.#id, sessionEpoch: this.#epoch, partitions, forgotten: this.#id === NO_SESSION ? [] : forgotten.map(([, s]) => s) }
  }

  answered (sessionId: number): void {
    this.#id = sessionId
    if (sessionId === NO_SESSION) this.reset() // the broker has no room for one: everything is said each time
    else this.#epoch = this.#epoch === EPOCH_MAX ? 1 : this.#epoch + 1
  }

  /** The next fetch begins a new session. */
  reset (): void {
    this.#id = NO_SESSION
    this.#epoch = FIRST_EPOCH
    this.#said.clear()
  }

  /** The request that ends the session; undefined where there is none. */
  closing (): FetchRequest | undefined {
    if (this.#id === NO_SESSION) return undefined
    return { maxWaitMs: 0, maxBytes: 0, sessionId: this.#id, sessionEpoch: FINAL_EPOCH, partitions: [], forgotten: [] }
  }

  /** A broker fills an answer in the order asked; within a session it takes turns by itself. */
  #rotated (positions: readonly Position[]): readonly Position[] {
    const first = this.#turn++ % Math.max(positions.length, 1)
    return [...positions.slice(first), ...positions.slice(0, first)]
  }
}
