import type { RecordCursor, RecordHeader } from '../../port.ts'
import type { Message } from './library.ts'

const NONE = Buffer.alloc(0)

/** Walks the library's message objects. */
export class MessageCursor implements RecordCursor {
  readonly #messages: readonly Message[]
  #next = 0
  #current: Message | undefined
  offset = -1
  timestamp = 0
  keyBuffer: Buffer = NONE
  keyStart = -1
  keyEnd = -1
  valueBuffer: Buffer = NONE
  valueStart = -1
  valueEnd = -1

  constructor (messages: readonly Message[]) { this.#messages = messages }

  next (): boolean {
    const message = this.#messages[this.#next]
    this.#current = message
    if (message === undefined) return false
    this.#next++
    this.offset = message.offset
    this.timestamp = message.timestamp ?? 0
    const key = message.key as Buffer | null | undefined // the library makes buffers of keys
    if (key === null || key === undefined) { this.keyBuffer = NONE; this.keyStart = -1; this.keyEnd = -1 } else { this.keyBuffer = key; this.keyStart = 0; this.keyEnd = key.length }
    const value = message.value
    if (value === null) { this.valueBuffer = NONE; this.valueStart = -1; this.valueEnd = -1 } else { this.valueBuffer = value; this.valueStart = 0; this.valueEnd = value.length }
    return true
  }

  /** The library does not tell a header without a value from an empty one: both are empty here. */
  headers (): readonly RecordHeader[] {
    return (this.#current?.headers ?? []).map(header => {
      const [key = '', value = ''] = Object.entries(header)[0] ?? []
      return { key, value: typeof value === 'string' ? Buffer.from(value) : value }
    })
  }
}
