import type { RecordSink } from '../log/index.ts'
import type { Outputs } from './program.ts'

const FIRST_BYTES = 1 << 14
const FIRST_RECORDS = 256
/** A key is copied byte by byte for less than the call costs. */
const SHORT_BYTES = 48
/** Numbers of a record: target, time, and where its key and value begin and end (a start of -1: null). */
const STRIDE = 6

interface Target { readonly topic: string, readonly key: Buffer | undefined }

const NOWHERE: RecordSink = { add: () => {} }
/** A replay's outputs: they are in the log already. */
export const MUTED: Outputs = () => NOWHERE

/**
 * Outputs of a batch as bytes, until the batch is through: an output is written the moment it is emitted, so that the next may be the same object,
 * and goes into the transaction only when no step of the batch has failed. Used again for batch after batch.
 */
export class OutputStage {
  #count = 0
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)
  #end = 0
  #numbers = new Float64Array(FIRST_RECORDS * STRIDE)
  #targets: Target[] = []
  readonly #sinks = new Map<string, RecordSink>()
  readonly out: Outputs = (topic, key) => key === undefined ? this.#sinks.get(topic) ?? this.#open(topic) : this.#sinkTo({ topic, key: Buffer.from(key) })

  get count (): number { return this.#count }

  /** Hands everything over, in order, and is empty then. */
  flush (out: Outputs): void {
    const sinks = this.#targets.map(({ topic, key }) => key === undefined ? out(topic) : out(topic, key))
    const numbers = this.#numbers
    const bytes = this.#bytes
    for (let i = 0, at = 0; i < this.#count; i++, at += STRIDE) sinks[numbers[at]!]!.add(numbers[at + 1]!, bytes, numbers[at + 2]!, numbers[at + 3]!, bytes, numbers[at + 4]!, numbers[at + 5]!)
    this.clear()
  }

  clear (): void {
    this.#count = 0
    this.#end = 0
    this.#targets = []
    this.#sinks.clear()
  }

  #open (topic: string): RecordSink {
    const sink = this.#sinkTo({ topic, key: undefined })
    this.#sinks.set(topic, sink)
    return sink
  }

  #sinkTo (target: Target): RecordSink {
    const place = this.#targets.push(target) - 1
    return { add: (timestamp, key, keyStart, keyEnd, value, valueStart, valueEnd) => { this.#add(place, timestamp, key, keyStart, keyEnd, value, valueStart, valueEnd) } }
  }

  #add (place: number, timestamp: number, key: Buffer, keyStart: number, keyEnd: number, value: Buffer, valueStart: number, valueEnd: number): void {
    const at = this.#count++ * STRIDE
    if (at + STRIDE > this.#numbers.length) {
      const larger = new Float64Array(this.#numbers.length * 2)
      larger.set(this.#numbers)
      this.#numbers = larger
    }
    const numbers = this.#numbers
    numbers[at] = place
    numbers[at + 1] = timestamp
    numbers[at + 2] = keyStart < 0 ? -1 : this.#end
    numbers[at + 3] = keyStart < 0 ? -1 : this.#copy(key, keyStart, keyEnd)
    numbers[at + 4] = valueStart < 0 ? -1 : this.#end
    numbers[at + 5] = valueStart < 0 ? -1 : this.#copy(value, valueStart, valueEnd)
  }

  #copy (from: Buffer, start: number, end: number): number {
    const needed = this.#end + end - start
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, needed))
      this.#bytes.copy(larger, 0, 0, this.#end)
      this.#bytes = larger
    }
    if (end - start > SHORT_BYTES) from.copy(this.#bytes, this.#end, start, end)
    else for (let to = this.#end, bytes = this.#bytes; start < end;) bytes[to++] = from[start++]!
    this.#end = needed
    return needed
  }
}
