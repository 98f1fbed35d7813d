import type { Entry } from './journal.ts'
import { sizeOfWriteSet } from './write-set.ts'

export interface Block { readonly base: number, readonly bytes: Buffer }

/** What is durable in the journal and not yet in LMDB, for readers: the newest blocks of each partition, and offsets. */
export class Tail {
  #entries: Entry[] = []
  /** By topic and partition, in order. */
  readonly #blocks = new Map<number, Block[]>()
  readonly #offsets = new Map<string, { readonly offset: number, readonly sequence: number }>()
  #bytes = 0

  get bytes (): number { return this.#bytes }
  get entries (): readonly Entry[] { return this.#entries }

  add (entry: Entry): void {
    this.#entries.push(entry)
    this.#bytes += sizeOfWriteSet(entry.set)
    for (const { topic, partition, base, bytes } of entry.set.blocks) {
      const place = placeOf(topic, partition)
      const blocks = this.#blocks.get(place)
      if (blocks === undefined) this.#blocks.set(place, [{ base, bytes }])
      else blocks.push({ base, bytes })
    }
    for (const { key, offset } of entry.set.offsets) this.#offsets.set(key, { offset, sequence: entry.sequence })
  }

  /** LMDB has `written`, which were the first entries. */
  drop (written: readonly Entry[]): void {
    const last = written.at(-1)
    if (last === undefined) return
    this.#entries = this.#entries.slice(written.length)
    const gone = new Map<number, number>()
    for (const { set } of written) {
      this.#bytes -= sizeOfWriteSet(set)
      for (const { topic, partition } of set.blocks) gone.set(placeOf(topic, partition), (gone.get(placeOf(topic, partition)) ?? 0) + 1)
      for (const { key } of set.offsets) if ((this.#offsets.get(key)?.sequence ?? Infinity) <= last.sequence) this.#offsets.delete(key)
    }
    for (const [place, n] of gone) {
      const left = this.#blocks.get(place)!.slice(n)
      if (left.length === 0) this.#blocks.delete(place)
      else this.#blocks.set(place, left)
    }
  }

  blocks (topic: number, partition: number): readonly Block[] { return this.#blocks.get(placeOf(topic, partition)) ?? [] }
  offset (key: string): number | undefined { return this.#offsets.get(key)?.offset }
}

/** A partition is a u16. */
function placeOf (topic: number, partition: number): number { return topic * 65_536 + partition }
