import type { Call } from './call.ts'
import { Channel } from './channel.ts'
import type { Greeting } from './greet.ts'
import type { Address, ClusterOptions } from './options.ts'

/** One broker, with a channel for each lane that is used. */
export class Broker {
  readonly address: Address
  readonly #options: ClusterOptions
  readonly #channels = new Map<string, Channel>()
  readonly #onGreeting: (greeting: Greeting) => void
  #closed: Error | undefined
  /** Unknown until it was reached. */
  greeting: Greeting | undefined

  constructor (address: Address, options: ClusterOptions, onGreeting: (greeting: Greeting) => void = () => { /* nobody asks */ }) {
    this.address = address
    this.#options = options
    this.#onGreeting = onGreeting
  }

  send (lane: string, call: Call): void {
    if (this.#closed === undefined) this.#channel(lane).send(call)
    else call.reject(this.#closed)
  }

  /** How good a choice it is for a call that any broker may answer: connected, not tried, failing. */
  get rank (): number {
    const channels = [...this.#channels.values()]
    return channels.some(c => c.connected) ? 0 : channels.some(c => c.failing) ? 2 : 1
  }

  /** For good: what is not sent fails with `reason`. */
  close (reason: Error): void {
    this.#closed ??= reason
    for (const channel of this.#channels.values()) channel.close(reason)
  }

  #channel (lane: string): Channel {
    let channel = this.#channels.get(lane)
    if (channel === undefined) {
      channel = new Channel(this.address, this.#options, greeting => { this.greeting = greeting; this.#onGreeting(greeting) })
      this.#channels.set(lane, channel)
    }
    return channel
  }
}
