import { createHash } from 'node:crypto'
import type { ConnectorContext, Feed, KeptTable, MappedMessage, Superseded, Taken } from '../kit/index.ts'
import { readEnvelope, text, type FhirResource } from './resources/index.ts'
import { added, changeOf, withWithdrawn, type Change, type Standing, type ToldPart } from './told.ts'

/** The newest version of a resource that came, and what stands of it. */
export interface KnownVersion extends Standing {
  readonly version?: number
  /** NaN: not said. */
  readonly at: number
  /** It is gone: being told so again is no further version. */
  readonly deleted?: true
  /** It was refused whole: hash of its message. A dead letter with other bytes is a part of it. */
  readonly letter?: string
}

export interface VersionLimits {
  /** Resources of which the newest version is known; the one that changed longest ago is forgotten. */
  readonly resourcesMax: number
  /** What stands of all of them together, as parts. */
  readonly partsMax: number
  /** Of one resource; what is beyond is not remembered, so it is not withdrawn. */
  readonly partsPerResourceMax: number
}

export const VERSION_LIMITS: VersionLimits = { resourcesMax: 100_000, partsMax: 250_000, partsPerResourceMax: 2_000 }

/**
 * Takes messages so that an older version never follows a newer one, and withdraws what the newest version no longer says: a component, an answer, a
 * conclusion that is gone, and all of a resource that is another patient's now. Servers send late, send again and send out of order, and a reading may
 * overtake a notification: of each resource one message is taken at a time, and what is older than the newest that was taken is dropped and counted. The
 * same version again goes through: the intake knows it. A dead letter that is retried comes late too. What stands is remembered when the log has it, so after
 * a crash the same version withdraws the same again, which the intake knows too.
 */
export class NewestFirst {
  readonly name: string
  readonly #feed: Feed
  readonly #table: KeptTable<KnownVersion>
  readonly #limits: VersionLimits
  readonly #known = new Map<string, KnownVersion>()
  readonly #lanes = new Map<string, Promise<unknown>>()
  #parts = 0

  constructor (feed: Feed, table: KeptTable<KnownVersion>, limits: Partial<VersionLimits> = {}) {
    this.name = feed.name
    this.#feed = feed
    this.#table = table
    this.#limits = { ...VERSION_LIMITS, ...limits }
    feed.guardRetries((raw, retry) => this.#retry(raw, retry))
    for (const [key, kept] of [...table.load()].sort(([, a], [, b]) => (a.at || 0) - (b.at || 0))) {
      const value = { ...kept, at: (kept.at as number | null) ?? NaN } // JSON has no NaN
      this.#known.set(key, value)
      this.#parts += sizeOf(value)
    }
  }

  count (what: string, n?: number): void { this.#feed.count(what, n) }
  fail (raw: Buffer, detail: string): Promise<Taken> { return this.#feed.fail(raw, detail) }

  async take (raw: Buffer): Promise<Taken> {
    const taken = await this.#inTurn(raw, said => this.#take(raw, said), () => this.#feed.take(raw))
    return taken.kind === 'superseded' ? { kind: 'taken', published: 0, duplicates: 1, refused: [] } : taken
  }

  /** The one way to be out of date: undefined of what names no resource, `superseded` of an older version. */
  async #inTurn<T> (raw: Buffer, work: (said: SaidVersion) => Promise<T>, other: () => Promise<T>): Promise<T | Superseded> {
    const said = saidBy(raw)
    if (said === undefined) return await other()
    return await this.#inLane<T | Superseded>(said.key, async () => {
      if (!isOlder(said.version, this.#known.get(said.key))) return await work(said)
      this.count('stale-version')
      return { kind: 'superseded' }
    })
  }

  async #take (raw: Buffer, said: SaidVersion): Promise<Taken> {
    const mapped = this.#feed.map(raw)
    const before = this.#before(said)
    const change = mapped === undefined ? undefined : this.#change(said, mapped, raw)
    const taken = mapped === undefined || change === undefined ? await this.#feed.fail(raw, 'the message could not be mapped') : await this.#store(raw, said, mapped, change)
    const isRefused = taken.kind !== 'taken'
    await this.#keepSaid(said, isRefused && mapped?.kind !== 'rejected' ? before : change?.after ?? before, isRefused ? hashOf(raw) : undefined)
    return taken
  }

  /** What is gone of the same patient is withdrawn in the message that no longer says it; of another patient, or where that is refused, by itself and before. */
  async #store (raw: Buffer, said: SaidVersion, mapped: MappedMessage, change: Change): Promise<Taken> {
    if (change.gone.length === 0) return await this.#feed.store(raw, mapped)
    if (mapped.kind === 'mapped' && !change.moved) {
      this.count('parts-withdrawn', change.gone.length)
      return await this.#feed.store(raw, { ...mapped, events: withWithdrawn(mapped.events, change.gone, this.#before(said).patient ?? '', mapped.source) })
    }
    const withdrawn = await this.#withdraw(raw, said, mapped.source, change.gone)
    // A deletion of which no version is to be had: what stood is known.
    return mapped.kind === 'rejected' && said.deleted ? withdrawn : await this.#feed.store(raw, mapped)
  }

  async #withdraw (raw: Buffer, said: SaidVersion, source: string, gone: readonly ToldPart[]): Promise<Taken> {
    this.count('parts-withdrawn', gone.length)
    const content = Buffer.from(JSON.stringify(gone))
    return await this.#feed.store(raw, { kind: 'mapped', source, id: `${said.key}|withdrawn|${said.version.version ?? ''}|${hashOf(raw)}`, content, events: withWithdrawn([], gone, this.#before(said).patient ?? '', source), refused: [], notices: new Map() })
  }

  /** A letter that holds a whole version withdraws as one that comes; what holds a part of a version that was taken adds to it. */
  async #retry<T> (raw: Buffer, retry: () => Promise<T>): Promise<T | Superseded> {
    return await this.#inTurn(raw, async said => {
      const mapped = this.#feed.map(raw, () => {})
      const before = this.#known.get(said.key)
      const isWhole = before === undefined || before.letter === hashOf(raw) || isOlder(before, said.version)
      const change = mapped === undefined ? undefined : isWhole ? this.#change(said, mapped, raw) : { gone: [], moved: false, after: added(before, mapped) }
      if (change !== undefined && change.gone.length > 0) await this.#withdraw(raw, said, mapped!.source, change.gone)
      const taken = await retry()
      const isTaken = (taken as Taken | Superseded).kind === 'taken'
      await this.#keepSaid(said, isTaken || mapped?.kind === 'rejected' ? change?.after ?? this.#before(said) : this.#before(said), isTaken ? undefined : before?.letter)
      return taken
    }, retry)
  }

  #before ({ key }: SaidVersion): Standing { return standingOf(this.#known.get(key)) }

  /** A patient's own record, and a stay, are states that nothing is taken out of. */
  #change (said: SaidVersion, mapped: MappedMessage, raw: Buffer): Change {
    return /^(Patient|Encounter)\//.test(said.key) ? { gone: [], moved: false, after: {} } : changeOf(this.#before(said), mapped, raw, said.deleted)
  }

  #keepSaid ({ key, version, deleted }: SaidVersion, standing: Standing, letter: string | undefined): Promise<void> {
    const { patient, told = [] } = standing
    const kept = told.slice(0, this.#limits.partsPerResourceMax)
    if (kept.length < told.length) this.count('parts-not-remembered', told.length - kept.length)
    return this.#keep(key, {
      ...deleted ? afterDeletion(version, this.#known.get(key)) : version,
      ...patient === undefined || kept.length === 0 ? {} : { patient, told: kept }, ...letter === undefined ? {} : { letter },
    })
  }

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
    this.#parts += sizeOf(version) - sizeOf(before)
    if (before !== undefined && JSON.stringify(before) === JSON.stringify(version)) return
    await Promise.all([this.#table.save(key, version), ...this.#forgotten().map(one => this.#table.save(one, undefined))])
  }

  /** Takes what is beyond the limits out of memory. */
  #forgotten (): readonly string[] {
    const gone: string[] = []
    for (const [key, version] of this.#known) {
      if (this.#known.size <= 1 || this.#known.size <= this.#limits.resourcesMax && this.#parts <= this.#limits.partsMax) break
      this.#known.delete(key)
      this.#parts -= sizeOf(version)
      gone.push(key)
    }
    if (gone.length > 0) this.count('versions-forgotten', gone.length)
    return gone
  }
}

/** What stands before a feed of resources, whether they come from a server or out of files. */
export function newestFirst ({ feed, table }: Pick<ConnectorContext, 'feed' | 'table'>): NewestFirst { return new NewestFirst(feed, table<KnownVersion>('versions')) }

function sizeOf (version: KnownVersion | undefined): number { return version?.told?.length ?? 0 }

function standingOf (known: KnownVersion | undefined): Standing { return known?.patient === undefined ? {} : { patient: known.patient, told: known.told ?? [] } }

function hashOf (raw: Buffer): string { return createHash('sha256').update(raw).digest('base64url').slice(0, 22) }

/**
 * By number where both have one (R4 has them opaque, most servers count), else by the time at which the server wrote it; what says neither is taken. Of a
 * deletion the least number that it may have is known: versions may have been written before it that never came. So its time decides about what is not below it.
 */
export function isOlder (one: KnownVersion, known: KnownVersion | undefined): boolean {
  if (known === undefined) return false
  const isNumbered = one.version !== undefined && known.version !== undefined
  const isBelow = isNumbered && one.version < known.version
  const isBefore = !Number.isNaN(one.at) && !Number.isNaN(known.at) && one.at < known.at
  if (known.deleted === true) return isBelow || isBefore
  return isNumbered ? isBelow : isBefore
}

/** A deletion is told without its version, which is the next one or a later one; it is told again and again, and it is not before what it deleted. */
function afterDeletion ({ at }: KnownVersion, known: KnownVersion | undefined): KnownVersion {
  return { at: Number.isNaN(at) ? known?.at ?? NaN : at, deleted: true, ...known?.version === undefined ? {} : { version: known.deleted === true ? known.version : known.version + 1 } }
}

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
