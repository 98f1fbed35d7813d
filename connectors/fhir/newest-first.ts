import type { Feed, KeptTable, Superseded, Taken } from '../kit/index.ts'
import { readEnvelope, text, type FhirResource } from './resources/index.ts'

/** The newest version of a resource that came. */
export interface KnownVersion { readonly version?: number, readonly at: number }

/**
 * Takes messages so that an older version never follows a newer one. Servers send late, send again and send out of order, and a reading may overtake a
 * notification: of each resource one message is taken at a time, and what is older than the newest that was taken is dropped and counted. The same
 * version again goes through: the intake knows it. A dead letter that is retried comes late too, whoever sent it.
 */
export class NewestFirst {
  readonly name: string
  readonly #feed: Feed
  readonly #table: KeptTable<KnownVersion>
  readonly #keptMax: number
  readonly #keeps: 'all' | 'refused'
  readonly #known = new Map<string, KnownVersion>()
  readonly #lanes = new Map<string, Promise<unknown>>()

  /** `refused`: of a source that never sends what is old only what was refused can come late, so versions are kept from there on. */
  constructor (feed: Feed, table: KeptTable<KnownVersion>, keptMax: number, keeps: 'all' | 'refused') {
    this.name = feed.name
    this.#feed = feed
    this.#table = table
    this.#keptMax = keptMax
    this.#keeps = keeps
    feed.guardRetries((raw, retry) => this.#retry(raw, retry))
    for (const [key, value] of table.load()) this.#known.set(key, value)
  }

  count (what: string, n?: number): void { this.#feed.count(what, n) }
  fail (raw: Buffer, detail: string): Promise<Taken> { return this.#feed.fail(raw, detail) }

  async take (raw: Buffer): Promise<Taken> {
    const said = saidBy(raw)
    if (said === undefined) return await this.#feed.take(raw)
    return await this.#inLane(said.key, async () => {
      if (isOlder(said.version, this.#known.get(said.key))) {
        this.count('stale-version')
        return { kind: 'taken', published: 0, duplicates: 1, refused: [] }
      }
      const taken = await this.#feed.take(raw)
      if (this.#keeps === 'all' || this.#known.has(said.key) || taken.kind !== 'taken' || taken.refused.length > 0) await this.#keepSaid(said)
      return taken
    })
  }

  async #retry<T> (raw: Buffer, retry: () => Promise<T>): Promise<T | Superseded> {
    const said = saidBy(raw)
    if (said === undefined) return await retry()
    return await this.#inLane<T | Superseded>(said.key, async () => {
      if (isOlder(said.version, this.#known.get(said.key))) {
        this.count('stale-version')
        return { kind: 'superseded' }
      }
      const taken = await retry()
      await this.#keepSaid(said)
      return taken
    })
  }

  #keepSaid ({ key, version, deleted }: SaidVersion): Promise<void> { return this.#keep(key, deleted ? afterDeletion(version, this.#known.get(key)) : version) }

  async #inLane<T> (key: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#lanes.get(key) ?? Promise.resolve()).then(work, work)
    this.#lanes.set(key, turn)
    try {
      return await turn
    } finally {
      if (this.#lanes.get(key) === turn) this.#lanes.delete(key)
    }
  }

  async #keep (key: string, version: KnownVersion): Promise<void> {
    const before = this.#known.get(key)
    this.#known.delete(key)
    this.#known.set(key, version)
    if (before !== undefined && before.version === version.version && before.at === version.at) return
    const [oldest] = this.#known.keys()
    const saved = this.#table.save(key, version)
    if (this.#known.size > this.#keptMax && oldest !== undefined) {
      this.#known.delete(oldest)
      await this.#table.save(oldest, undefined)
    }
    await saved
  }
}

/** By number where both have one (R4 has them opaque, most servers count), else by the time at which the server wrote it; what says neither is taken. */
export function isOlder (one: KnownVersion, known: KnownVersion | undefined): boolean {
  if (known === undefined) return false
  if (one.version !== undefined && known.version !== undefined) return one.version < known.version
  return !Number.isNaN(one.at) && !Number.isNaN(known.at) && one.at < known.at
}

/** A deletion is told without its version, which is the next one. */
function afterDeletion ({ at }: KnownVersion, known: KnownVersion | undefined): KnownVersion { return known?.version === undefined ? { at } : { at, version: known.version + 1 } }

interface SaidVersion { readonly key: string, readonly version: KnownVersion, readonly deleted: boolean }

function saidBy (raw: Buffer): SaidVersion | undefined {
  const read = readEnvelope(raw)
  const [only, ...others] = read.kind === 'ok' ? read.envelope.said : []
  if (only === undefined || others.length > 0) return undefined
  if (only.kind === 'deletion') return { key: `${only.type}/${only.id}`, version: { at: Date.parse(only.at) }, deleted: true }
  const { resource } = only
  return resource.id === undefined ? undefined : { key: `${resource.resourceType}/${resource.id}`, version: versionOf(resource), deleted: false }
}

export function versionOf ({ meta }: FhirResource): KnownVersion {
  const said = text(meta?.versionId)
  return { at: Date.parse(text(meta?.lastUpdated)), ...(/^\d{1,15}$/.test(said) ? { version: Number(said) } : {}) }
}
