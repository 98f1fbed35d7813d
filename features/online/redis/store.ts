import { assert } from '../../../streams/errors/index.ts'
import type { OnlineRow, OnlineStore, StoredRow } from '../port.ts'
import { RedisConnection } from './connection.ts'
import { bucketOf, BUCKETS, entityKey, indexKey, ownerKey } from './keys.ts'
import type { RedisOnlineOptions } from './options.ts'
import { byEntity, decodeRows, encodeBatch, foreignData, type EntityRows } from './rows.ts'
import { ERASE, PRUNE, PUT } from './scripts.ts'

/** Values that one MGET asks for. */
const READ_MAX = 1_000

/** Connects to a Redis server or cluster. Throws ONLINE_UNAVAILABLE, ONLINE_DENIED, ONLINE_READ_ONLY or CONFIG_INVALID; calls throw ONLINE_FULL and ONLINE_FOREIGN_DATA too. */
export async function openRedisOnlineStore (options: RedisOnlineOptions): Promise<OnlineStore> {
  assert(!/[{}]/.test(options.prefix), 'a prefix without braces')
  const redis = await RedisConnection.open(options)
  try {
    if (options.owner !== undefined) await takeOwnership(redis, options.prefix, options.owner)
    return new RedisOnlineStore(options, redis)
  } catch (e) {
    await redis[Symbol.asyncDispose]()
    throw e
  }
}

/** Versions are offsets of one log: beside rows of another log's they would mean nothing, and older ones could stand for ever. */
async function takeOwnership (redis: RedisConnection, prefix: string, owner: string): Promise<void> {
  const key = ownerKey(prefix)
  await redis.ask(key, ['SET', key, owner, 'NX'])
  const found = await redis.ask<string | null>(key, ['GET', key], { readOnly: true })
  if (found !== owner) throw foreignData(`rows of another log (${found ?? 'none'}, and not ${owner})`)
}

/** Each call stands for itself: while Redis is away it fails at once. Of a put that fails some entities may be written, each whole; said again, it is complete. */
class RedisOnlineStore implements OnlineStore {
  readonly #options: RedisOnlineOptions
  readonly #redis: RedisConnection

  constructor (options: RedisOnlineOptions, redis: RedisConnection) {
    this.#options = options
    this.#redis = redis
  }

  async put (rows: readonly OnlineRow[]): Promise<void> {
    await this.#several(this.#batches(byEntity(rows)), async entities => {
      await this.#redis.run(PUT, entities.map(({ entity }) => this.#key(entity)), [encodeBatch(entities), String(this.#options.expireAfterMs)])
    })
  }

  async get (tables: readonly string[], entities: readonly string[]): Promise<readonly (readonly (StoredRow | undefined)[])[]> {
    if (tables.length === 0) return entities.map(() => [])
    const places = placesOf(tables)
    const answers = Array.from<readonly (StoredRow | undefined)[]>({ length: entities.length })
    await Promise.all(this.#reads(entities).map(async asked => {
      const values = await this.#values(asked.map(at => entities[at]!))
      asked.forEach((at, i) => { answers[at] = decodeRows(entities[at]!, values[i]!, places, tables.length) })
    }))
    return answers
  }

  async scan (table: string): Promise<readonly StoredRow[]> {
    const found = await Promise.all(Array.from({ length: BUCKETS }, (_, bucket) => this.#scanBucket(table, bucket)))
    return found.flat()
  }

  async erase (entity: string): Promise<void> { await this.#redis.run(ERASE, [this.#key(entity)], []) }

  [Symbol.asyncDispose] (): Promise<void> { return this.#redis[Symbol.asyncDispose]() }

  #key (entity: string): string { return entityKey(this.#options.prefix, entity) }

  #values (entities: readonly string[]): Promise<readonly (Buffer | null)[]> {
    const keys = entities.map(entity => this.#key(entity))
    return this.#redis.ask(keys[0]!, ['MGET', ...keys], { readOnly: true, binary: true })
  }

  /** Places of `entities` that one MGET asks for: of one bucket where a cluster wants it. */
  #reads (entities: readonly string[]): readonly (readonly number[])[] {
    const places = entities.map((_, at) => at)
    const groups = this.#redis.cluster ? [...grouped(places, at => bucketOf(entities[at]!)).values()] : [places]
    return groups.flatMap(group => slices(group, READ_MAX))
  }

  async #scanBucket (table: string, bucket: number): Promise<readonly StoredRow[]> {
    const index = indexKey(this.#options.prefix, bucket, table)
    const entities = await this.#redis.ask<readonly string[]>(index, ['SMEMBERS', index], { readOnly: true })
    const rows: StoredRow[] = []
    for (const some of slices(entities, READ_MAX)) {
      const values = await this.#values(some)
      some.forEach((entity, i) => { rows.push(...decodeRows(entity, values[i]!, placesOf([table]), 1).filter(row => row !== undefined)) })
      const expired = some.filter((_, i) => values[i] === null)
      if (expired.length > 0 && this.#options.expireAfterMs > 0) await this.#redis.run(PRUNE, [index], expired)
    }
    return rows
  }

  #batches (entities: readonly EntityRows[]): readonly (readonly EntityRows[])[] {
    const groups = this.#redis.cluster ? [...grouped(entities, ({ entity }) => bucketOf(entity)).values()] : [entities]
    return groups.flatMap(group => this.#cut(group))
  }

  #cut (entities: readonly EntityRows[]): readonly (readonly EntityRows[])[] {
    const { batchEntitiesMax, batchBytesMax } = this.#options
    const batches: EntityRows[][] = []
    let bytes = Infinity
    for (const entity of entities) {
      if (bytes + entity.bytes > batchBytesMax || batches.at(-1)!.length === batchEntitiesMax) { batches.push([]); bytes = 0 }
      batches.at(-1)!.push(entity)
      bytes += entity.bytes
    }
    return batches
  }

  /** So many at a time. Ends when all that were begun have ended; the first failure is thrown, and nothing is begun after it. */
  async #several<T> (all: readonly T[], run: (one: T) => Promise<void>): Promise<void> {
    let next = 0
    let failed = false
    const worker = async (): Promise<void> => {
      while (!failed && next < all.length) {
        try { await run(all[next++]!) } catch (e) { failed = true; throw e }
      }
    }
    const ends = await Promise.allSettled(Array.from({ length: Math.min(all.length, this.#options.batchesInFlightMax) }, worker))
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }
}

function placesOf (tables: readonly string[]): ReadonlyMap<string, readonly number[]> { return grouped(tables.map((_, at) => at), at => tables[at]!) }

function grouped<T, K> (all: readonly T[], keyOf: (one: T) => K): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>()
  for (const one of all) {
    const key = keyOf(one)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [one]); else group.push(one)
  }
  return groups
}

function slices<T> (all: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))
}
