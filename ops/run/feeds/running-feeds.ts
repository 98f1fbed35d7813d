import { LiveMapping, type ConnectorContext, type Feed, type Intake, type OpenIntake, type SealedTable, type UnmappedSeen } from '../../../connectors/kit/index.ts'
import type { CodesOutcome, CodeToMap, ConceptInfo, FeedDesk, FeedInfo, MapCodeOutcome, MappedCode, ReloadReport } from '../../../dashboards/server/index.ts'
import { isLatidoError, messageOf } from '../../../streams/errors/index.ts'
import { CONCEPT_IDS, CONCEPTS } from '../../../streams/events/index.ts'
import type { Clock } from '../../../streams/time/index.ts'
import { codesFileOf, lineOfFault, readCodesOf, readFeeds, stampOf, type AnyKind, type FeedDefaults, type LoadedFeed } from '../../config/index.ts'
import { secretAt } from '../../security/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import { Closers } from '../closers.ts'
import { codesOf, putCode, takeOutCode, type TableChange, type TablePlace } from './code-table.ts'
import { FeedIntake } from './feed-intake.ts'
import { prefixedTable } from './prefixed-table.ts'
import { RunningFeed, type StartedFeed } from './running-feed.ts'

export interface RunningFeedsParts {
  readonly intake: Pick<OpenIntake, 'table'> & Intake
  readonly clock: Clock
  readonly logger: Logger
  readonly say: (line: string) => void
  /** Where the tables of codes are. */
  readonly folder: string
  /** Present where the feeds themselves are files of that folder. */
  readonly files?: { readonly kinds: readonly AnyKind[], readonly defaults: FeedDefaults }
  readonly env: Readonly<Record<string, string | undefined>>
  readonly onCount?: (feed: string, what: string, n: number) => void
  /** What the instance adds to what a connector is started with. */
  readonly context?: (loaded: LoadedFeed) => Partial<ConnectorContext>
}

const POLL_MS = 3_000
const KEEP_MS = 5_000
const LIST_FAULTS = 20

/** The feeds of this instance. Their files are looked at again while they run: a good change takes effect (feeds begin, end, and begin again with other options), a faulty one is refused and told. */
export class RunningFeeds implements FeedDesk, AsyncDisposable {
  readonly #parts: RunningFeedsParts
  readonly #feeds = new Map<string, RunningFeed>()
  readonly #tables: SealedTable<unknown>
  readonly #stops: readonly (() => void)[]
  #stamp: string
  #looking = false
  #turn: Promise<unknown> = Promise.resolve()

  constructor (parts: RunningFeedsParts) {
    this.#parts = parts
    this.#tables = parts.intake.table('feeds')
    this.#stamp = stampOf(parts.folder)
    this.#stops = [parts.clock.every(POLL_MS, () => { void this.#look() }), parts.clock.every(KEEP_MS, () => { void this.#keep() })]
  }

  get connectors (): readonly RunningFeed[] { return [...this.#feeds.values()] }
  feedOf (name: string): Feed | undefined { return this.#feeds.get(name)?.feed }
  feeds (): readonly FeedInfo[] { return this.connectors.map(feed => feed.info()) }
  concepts (): readonly ConceptInfo[] { return CONCEPT_IDS.map(id => ({ id, name: CONCEPTS[id].name, unit: CONCEPTS[id].unit })) }

  /** Starts a feed; it ends with this. Throws what its connector throws. */
  async start (loaded: LoadedFeed): Promise<RunningFeed> {
    const { clock, intake, onCount } = this.#parts
    const { name } = loaded
    const kept = prefixedTable<UnmappedSeen>(this.#tables, name, 'unmapped')
    const mapping = new LiveMapping({ mapping: loaded.mapping, now: () => clock.now(), seen: kept.load() })
    const own = new FeedIntake(intake, (what, n) => { onCount?.(name, what, n) })
    const feed = new RunningFeed({ started: await this.#open(loaded, mapping, own), mapping, intake: own, kept })
    this.#feeds.set(name, feed)
    return feed
  }

  async #open (loaded: LoadedFeed, mapping: LiveMapping, intake: FeedIntake): Promise<StartedFeed> {
    const { clock, logger, say, env, context } = this.#parts
    const { name } = loaded
    const prepared = loaded.configured.prepare({ name, intake, mapping })
    const connector = await prepared.start({
      clock, table: table => prefixedTable(this.#tables, name, `table-${table}`), secret: ref => secretAt(`feed ${name}`, ref, env), ...context?.(loaded),
      say: line => { logger.info({ feed: name }, line); say(line) },
    })
    logger.info({ feed: name, connector: loaded.kind.kind, endpoint: connector.endpoint, codes: loaded.mapping.codes.size }, 'a feed runs')
    return { loaded, feed: prepared.feed, connector }
  }

  reload (): Promise<ReloadReport> { return this.#inTurn(() => this.#reload()) }
  mapCode (feed: string, code: CodeToMap, by: string): Promise<MapCodeOutcome> { return this.#inTurn(() => this.#changeCodes(feed, code, by, 'a code was mapped', place => putCode(place, code))) }
  removeCode (feed: string, code: MappedCode, by: string): Promise<MapCodeOutcome> { return this.#inTurn(() => this.#changeCodes(feed, code, by, 'a code was taken out of the table', place => takeOutCode(place, code))) }

  codes (name: string, find: string, limit: number): CodesOutcome {
    const feed = this.#feeds.get(name)
    return feed === undefined ? { kind: 'feed-unknown' } : codesOf(this.#tableOf(feed), find, limit)
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    for (const stop of this.#stops) stop()
    await this.#turn
    await using closers = new Closers()
    for (const feed of this.connectors) closers.use(feed)
  }

  /** Files are read and written by one at a time. */
  #inTurn<T> (work: () => T | Promise<T>): Promise<T> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => {})
    return turn
  }

  async #look (): Promise<void> {
    if (this.#looking) return // a reload that drains a busy feed may take longer than the time between two looks
    this.#looking = true
    try {
      if (stampOf(this.#parts.folder) !== this.#stamp) await this.reload()
    } catch (e) {
      if (!isLatidoError(e)) throw e
      for (const feed of this.connectors) feed.refused([messageOf(e)])
    } finally {
      this.#looking = false
    }
  }

  async #reload (): Promise<ReloadReport> {
    this.#stamp = stampOf(this.#parts.folder)
    const report = this.#parts.files === undefined ? this.#reloadCodes() : await this.#reloadFiles(this.#parts.files)
    this.#parts.logger.info({ changed: report.changed, refused: report.refused.length }, 'the feeds were read again')
    for (const line of report.refused.slice(0, LIST_FAULTS)) this.#parts.say(line)
    return report
  }

  #reloadCodes (): ReloadReport {
    const changed: string[] = []
    const refused: string[] = []
    for (const feed of this.connectors) {
      const { units } = feed.mapping.current
      const { codes, faults } = readCodesOf(this.#parts.folder, feed.name, units)
      if (faults.length > 0) { feed.refused(faults.map(lineOfFault)); refused.push(...faults.map(lineOfFault)); continue }
      feed.mapping.replace({ ...feed.mapping.current, codes })
      feed.accepted()
      changed.push(feed.name)
    }
    return { changed, refused }
  }

  /** What is gone and what has other options ends first, all of it, so that a port may go from one feed to another; then the others begin. */
  async #reloadFiles ({ kinds, defaults }: NonNullable<RunningFeedsParts['files']>): Promise<ReloadReport> {
    const { clock } = this.#parts
    const { feeds, faults } = readFeeds(this.#parts.folder, kinds, defaults)
    const faultsOf = (name: string): readonly string[] => faults.filter(({ file }) => file === `${name}.json` || file === codesFileOf(name)).map(lineOfFault)
    const good = feeds.filter(({ name }) => faultsOf(name).length === 0)
    const refused = faults.map(lineOfFault)
    const gone: RunningFeed[] = []
    const other: (readonly [RunningFeed, LoadedFeed])[] = []
    for (const feed of this.connectors) {
      const loaded = good.find(({ name }) => name === feed.name)
      const own = faultsOf(feed.name)
      if (own.length > 0) feed.refused(own)
      else if (loaded === undefined) gone.push(feed)
      else if (feed.runs(loaded)) feed.replace(loaded)
      else other.push([feed, loaded])
    }
    await Promise.all([...gone, ...other.map(([feed]) => feed)].map(feed => feed.halt(clock.now())))
    for (const feed of gone) await this.#forget(feed)
    for (const [feed, loaded] of other) refused.push(...await this.#startAgain(feed, loaded))
    for (const loaded of good.filter(({ name }) => !this.#feeds.has(name))) await this.start(loaded).catch((e: unknown) => { refused.push(`${loaded.name}.json: it cannot start: ${messageOf(e)}`) })
    return { changed: [...gone.map(({ name }) => name), ...good.map(({ name }) => name).filter(name => this.#feeds.get(name)?.configuration.state === 'current')], refused }
  }

  async #forget (feed: RunningFeed): Promise<void> {
    await feed.keep()
    this.#feeds.delete(feed.name)
    this.#parts.logger.info({ feed: feed.name }, 'a feed has ended: its file is gone')
  }

  /** With the newer options; where its connector refuses them, as before. */
  async #startAgain (feed: RunningFeed, loaded: LoadedFeed): Promise<readonly string[]> {
    const before = feed.loaded
    try {
      feed.begin(await this.#open(loaded, feed.mapping, feed.intake))
      return []
    } catch (e) {
      const why = `${feed.name}.json: it cannot start: ${messageOf(e)}`
      try {
        feed.begin(await this.#open(before, feed.mapping, feed.intake))
      } catch (again) {
        feed.failed(this.#parts.clock.now(), `it could not be started again: ${messageOf(again)}`)
      }
      feed.refused([why])
      return [why]
    }
  }

  #changeCodes (name: string, row: MappedCode, by: string, what: string, change: (place: TablePlace) => TableChange): MapCodeOutcome {
    const feed = this.#feeds.get(name)
    if (feed === undefined) return { kind: 'feed-unknown' }
    const outcome = change(this.#tableOf(feed))
    if (outcome.kind !== 'changed') return outcome
    feed.mapping.replace({ ...feed.mapping.current, codes: outcome.codes })
    void this.#keep()
    const { system, code, concept, unit } = row
    this.#parts.logger.info({ feed: name, system, code, concept, unit, by }, what)
    return { kind: 'mapped', feed: feed.info() }
  }

  #tableOf ({ name, mapping }: RunningFeed): TablePlace { return { folder: this.#parts.folder, feed: name, units: mapping.current.units } }

  /** A write that fails is tried again with the next change; the count in memory goes on. */
  async #keep (): Promise<void> { await Promise.all(this.connectors.map(feed => feed.keep().catch(e => { this.#parts.logger.warn({ feed: feed.name, cause: messageOf(e) }, 'unmapped codes could not be kept') }))) }
}
