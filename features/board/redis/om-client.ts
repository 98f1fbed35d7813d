import { Client } from 'redis-om'
import type { BoardConnection } from './connection.ts'
import { isReply } from './connection.ts'
import { PUT_SCRIPT } from './scripts.ts'

type Answer = Awaited<ReturnType<Client['search']>>

/**
 * redis-om's client with three things done otherwise: a document is written only over an older one, an index that another instance has just made
 * is as good as one's own (redis-om would drop it and make it again), and a search keeps its total.
 */
export class BoardClient extends Client {
  total = 0
  readonly #connection: BoardConnection
  readonly #removalKey: (key: string) => string

  constructor (connection: BoardConnection, removalKey: (key: string) => string) {
    super()
    this.#connection = connection
    this.#removalKey = removalKey
    this.useNoClose(connection.client)
  }

  override async jsonset (key: string, data: Parameters<Client['jsonset']>[1]): Promise<void> {
    await this.#connection.command('EVAL', PUT_SCRIPT, '2', key, this.#removalKey(key), JSON.stringify(data), String((data as { readonly version?: unknown }).version))
  }

  override async createIndex (...index: Parameters<Client['createIndex']>): Promise<void> {
    try {
      await this.#connection.ask(super.createIndex(...index))
    } catch (error) {
      if (!(isReply(error) && /already exists/i.test(error.message))) throw error
    }
  }

  /** An index of other fields has another name and is dropped by name: see `dropOthers`. */
  override dropIndex (): Promise<void> { return Promise.resolve() }

  override async search (...query: Parameters<Client['search']>): Promise<Answer> {
    const answer = await this.#connection.ask(super.search(...query))
    this.total = answer.total
    return answer
  }
}
