import type { OfflineBatch } from '../port.ts'
import type { ClickHouseOffline, OfflineSql } from './store.ts'

/**
 * A store that may be away when the product starts: it is opened when it is first asked, and again until that succeeds. Until then everything
 * rejects with OFFLINE_UNAVAILABLE, so the writer keeps its batch and the log waits. What is more than being away (a newer schema) rejects as such.
 */
export function lateOffline (open: () => Promise<ClickHouseOffline>): ClickHouseOffline { return new LateOffline(open) }

class LateOffline implements ClickHouseOffline {
  readonly #open: () => Promise<ClickHouseOffline>
  readonly sql: OfflineSql
  #opening: Promise<ClickHouseOffline> | undefined

  constructor (open: () => Promise<ClickHouseOffline>) {
    this.#open = open
    this.sql = {
      database: '',
      command: async (...of) => { await (await this.#store()).sql.command(...of) },
      rows: async (...of) => await (await this.#store()).sql.rows(...of),
      load: async (...of) => { await (await this.#store()).sql.load(...of) },
      bytes: async (...of) => await (await this.#store()).sql.bytes(...of),
    }
  }

  async #store (): Promise<ClickHouseOffline> {
    const opening = this.#opening ??= this.#open()
    try {
      return await opening
    } catch (e) {
      if (this.#opening === opening) this.#opening = undefined
      throw e
    }
  }

  async write (batch: OfflineBatch): Promise<void> { await (await this.#store()).write(batch) }
  async trends (...of: Parameters<ClickHouseOffline['trends']>): ReturnType<ClickHouseOffline['trends']> { return await (await this.#store()).trends(...of) }
  async scores (...of: Parameters<ClickHouseOffline['scores']>): ReturnType<ClickHouseOffline['scores']> { return await (await this.#store()).scores(...of) }
  async alertHistory (...of: Parameters<ClickHouseOffline['alertHistory']>): ReturnType<ClickHouseOffline['alertHistory']> { return await (await this.#store()).alertHistory(...of) }
  async driftHistory (limit: number): ReturnType<ClickHouseOffline['driftHistory']> { return await (await this.#store()).driftHistory(limit) }
  async query (...of: Parameters<ClickHouseOffline['query']>): ReturnType<ClickHouseOffline['query']> { return await (await this.#store()).query(...of) }
  async registerView (...of: Parameters<ClickHouseOffline['registerView']>): Promise<void> { await (await this.#store()).registerView(...of) }
  async migrateTo (version: number): Promise<number> { return await (await this.#store()).migrateTo(version) }
  async rollUp (): Promise<number> { return await (await this.#store()).rollUp() }

  async [Symbol.asyncDispose] (): Promise<void> {
    const opened = await this.#opening?.catch(() => undefined)
    await opened?.[Symbol.asyncDispose]()
  }
}
