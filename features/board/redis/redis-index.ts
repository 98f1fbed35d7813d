import { Repository, type Schema, type Search } from 'redis-om'
import { LatidoError } from '../../../streams/errors/index.ts'
import type { Clock, DurationMs } from '../../../streams/time/index.ts'
import type { BoardAnswer, BoardEntity, BoardIndex, BoardQuery } from '../port.ts'
import { millionths, orderOf } from '../sort-keys.ts'
import { asStemlessWord, wordsAsked } from '../text.ts'
import { isReply, refused, type BoardConnection } from './connection.ts'
import { BoardClient } from './om-client.ts'
import { boardSchema, documentOf, placeWord, type BoardDocument } from './schema.ts'
import { REMOVE_SCRIPT, VERSION_SCRIPT } from './scripts.ts'

/** A removal is remembered so long: a write of before it cannot be under way any more. */
const REMOVAL_SECONDS = 60
const WRITES_AT_ONCE = 500
const SCAN_COUNT = 1_000
const INDEXED_MS_MAX: DurationMs = 30_000
const INDEXED_POLL_MS: DurationMs = 20

type Doc = Record<string, never>

/** Entities as JSON documents of redis-om, searched by RediSearch. */
export class RedisBoardIndex implements BoardIndex {
  readonly by = 'redis-search'
  readonly #connection: BoardConnection
  readonly #clock: Clock
  readonly #prefix: string
  readonly #schema: Schema<Doc>
  readonly #writes: Repository<Doc>

  private constructor (connection: BoardConnection, prefix: string, clock: Clock) {
    this.#connection = connection
    this.#clock = clock
    this.#prefix = prefix
    this.#schema = boardSchema(prefix)
    this.#writes = new Repository(this.#schema, this.#client())
  }

  /** Makes the index where it is not there yet, waits until it has all documents, and drops those of other fields. */
  static async open (connection: BoardConnection, prefix: string, clock: Clock): Promise<RedisBoardIndex> {
    const index = new RedisBoardIndex(connection, prefix, clock)
    await index.#create()
    await index.#dropOthers()
    return index
  }

  version (): Promise<number> { return carriedOut(async () => Number(await this.#connection.command('EVAL', VERSION_SCRIPT, '1', `${this.#prefix}board-version`))) }

  put (entities: readonly BoardEntity[], version: number): Promise<void> { return carriedOut(() => this.#put(entities, version)) }
  remove (patients: readonly string[], version: number): Promise<void> { return carriedOut(() => this.#remove(patients, version)) }
  patients (): Promise<readonly string[]> { return carriedOut(() => this.#patients()) }

  async #put (entities: readonly BoardEntity[], version: number): Promise<void> {
    for (let from = 0; from < entities.length; from += WRITES_AT_ONCE) {
      await Promise.all(entities.slice(from, from + WRITES_AT_ONCE).map(entity => this.#writes.save(entity.patient, documentOf(entity, version) as unknown as Doc)))
    }
  }

  async #remove (patients: readonly string[], version: number): Promise<void> {
    for (let from = 0; from < patients.length; from += WRITES_AT_ONCE) {
      await Promise.all(patients.slice(from, from + WRITES_AT_ONCE).map(async patient => {
        const key = `${this.#schema.schemaName}:${patient}`
        await this.#connection.command('EVAL', REMOVE_SCRIPT, '2', key, this.#removalKey(key), String(version), String(REMOVAL_SECONDS))
      }))
    }
  }

  async #patients (): Promise<readonly string[]> {
    const begin = `${this.#schema.schemaName}:`
    const found = new Set<string>()
    let cursor = '0'
    do {
      const [next, keys] = await this.#connection.command('SCAN', cursor, 'MATCH', `${begin}*`, 'COUNT', String(SCAN_COUNT), 'TYPE', 'ReJSON-RL') as [string, string[]]
      for (const key of keys) found.add(key.slice(begin.length))
      cursor = next
    } while (cursor !== '0')
    return [...found]
  }

  search (query: BoardQuery): Promise<BoardAnswer> {
    return carriedOut(async () => {
      try {
        return await this.#search(query)
      } catch (error) {
        if (!isLost(error)) throw error
      }
      await this.#create() // Redis was emptied, or an instance of another release has dropped it
      return await this.#search(query)
    })
  }

  async [Symbol.asyncDispose] (): Promise<void> { await this.#connection[Symbol.asyncDispose]() }

  async #search (query: BoardQuery): Promise<BoardAnswer> {
    const asked = wordsAsked(query.text ?? '')
    if (query.alertStates?.length === 0 || (asked.length === 0 && (query.text ?? '').trim() !== '')) return { total: 0, entities: [], by: this.by }
    const client = this.#client()
    const search = narrowed(new Repository(this.#schema, client).search(), query, asked)
    const { key, reversed } = orderOf(query)
    const found = await search.sortBy(key as never, reversed ? 'DESC' : 'ASC').return.page(query.offset, query.limit)
    return { total: client.total, entities: found.map(document => JSON.parse((document as unknown as BoardDocument).entity) as BoardEntity), by: this.by }
  }

  async #create (): Promise<void> {
    const names = await this.#connection.command('FT._LIST') as string[]
    if (!names.includes(this.#schema.indexName)) await this.#connection.command('DEL', this.#schema.indexHashName) // redis-om believes it, not the list
    await this.#connection.ask(this.#writes.createIndex())
    const until = this.#clock.monotonicMs() + INDEXED_MS_MAX
    while (await this.#indexing()) {
      if (this.#clock.monotonicMs() > until) throw new LatidoError('ONLINE_UNAVAILABLE', `Redis has not built the board's index within ${INDEXED_MS_MAX / 1_000} s`, 'look at the load of the Redis server, and start again')
      await this.#clock.sleep(INDEXED_POLL_MS)
    }
  }

  /** Whether documents that were there before the index are still being read into it. */
  async #indexing (): Promise<boolean> {
    const info = await this.#connection.command('FT.INFO', this.#schema.indexName) as unknown[]
    return String(info[info.indexOf('indexing') + 1]) === '1'
  }

  /** Indexes of the board with other fields go, with their documents: an earlier or later release, started again, makes its own anew. */
  async #dropOthers (): Promise<void> {
    const names = await this.#connection.command('FT._LIST') as string[]
    for (const name of names.filter(one => one.startsWith(`${this.#prefix}board:`) && one !== this.#schema.indexName)) {
      try {
        await this.#connection.command('FT.DROPINDEX', name, 'DD')
        await this.#connection.command('DEL', `${name}:hash`)
      } catch (error) {
        if (!isLost(error)) throw error // another instance was quicker
      }
    }
  }

  #client (): BoardClient { return new BoardClient(this.#connection, key => this.#removalKey(key)) }

  /** Outside of what the index reads. */
  #removalKey (key: string): string { return `${this.#prefix}board-removed:${key.slice(this.#schema.schemaName.length + 1)}` }
}

function isLost (error: unknown): boolean { return isReply(error) && /no such index|unknown index name/i.test(error.message) }

async function carriedOut<T> (work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw isReply(error) ? refused(error) : error
  }
}

/** The conditions in redis-om's words. Every text is one encoded word by now, which means nothing to the query language. */
function narrowed (search: Search<Doc>, query: BoardQuery, asked: readonly string[]): Search<Doc> {
  const { ward, bed, admitted, onBoard, news2Min, riskMin, alertStates } = query
  const field = (name: string): never => name as never // the schema's fields are made by name
  if (ward !== undefined) search.and(field('ward')).equals(placeWord(ward))
  if (bed !== undefined) search.and(field('bed')).equals(placeWord(bed))
  if (admitted !== undefined) search.and(field('admitted')).equals(admitted)
  if (onBoard !== undefined) search.and(field('onBoard')).equals(onBoard)
  if (news2Min !== undefined) search.and(field('news2')).greaterThanOrEqualTo(news2Min)
  if (riskMin !== undefined) search.and(field('risk')).greaterThanOrEqualTo(millionths(riskMin))
  if (alertStates !== undefined) search.and(either => alertStates.reduce((or, state) => or.or(field('alertState')).equals(state) as Search<Doc>, either))
  for (const word of asked) search.and(field('words')).matches(asStemlessWord(word))
  return search
}
