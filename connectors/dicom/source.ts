import type { Clock } from '../../streams/time/index.ts'
import type { Feed, KeptTable, Source, SourceMessage, SourceSession } from '../kit/index.ts'
import type { Archive, Change } from './archive.ts'
import { contentOf, KnownStudies, whenSaid, type KnownStudy, type Saying } from './known-studies.ts'
import { ORTHANC_LIMITS, type OrthancOptions } from './options.ts'
import { markOf, readPosition, writePosition, type Position } from './position.ts'
import { writeNotice, type StudyTags } from './study.ts'

/** A walk along the feed of changes. */
interface Walk {
  cursor: number
  mark: Position['mark']
  /** Studies that are still coming in, with the change that told us of each. The position stays before the oldest. */
  readonly growing: Map<string, number>
  /** What the last message said, and the kit kept. */
  position: string | undefined
}

function walkFrom (position: string | undefined): Walk {
  const { seq, mark } = readPosition(position)
  return { cursor: seq, mark, growing: new Map(), position }
}

export interface OrthancSourceParts {
  readonly archive: Archive
  readonly endpoint: string
  readonly options: OrthancOptions
  readonly table: KeptTable<KnownStudy>
  readonly clock: Clock
  readonly feed: Pick<Feed, 'count'>
  readonly say: (line: string) => void
}

/**
 * Follows an Orthanc. Its feed says what is new and what became stable, but not all: an Orthanc that was killed never tells that a study became stable, and
 * none tells what was deleted. So a study that is new is looked at until it is stable, and now and then the list of studies is compared with what is known.
 */
export class OrthancSource implements Source {
  readonly endpoint: string
  readonly #parts: OrthancSourceParts
  readonly #known: KnownStudies
  /** The walk that ended well, to go on with where the kit kept what it said. */
  #walk: Walk | undefined
  #comparedAt = -Infinity

  constructor (parts: OrthancSourceParts) {
    this.endpoint = parts.endpoint
    this.#parts = parts
    this.#known = new KnownStudies(parts.table)
  }

  async * read ({ position, signal }: SourceSession): AsyncIterable<SourceMessage> {
    const { clock, options } = this.#parts
    const before = this.#walk
    this.#walk = undefined
    const { walk, exchanged } = await this.#begin(before?.position === position && before !== undefined ? before : walkFrom(position), signal)
    if (exchanged) yield * this.#compare(walk, true, signal) // with no position of its own: what is interrupted here begins again
    yield * this.#follow(walk, signal)
    for (const study of walk.growing.keys()) yield * this.#placed(walk, this.#look(study, walk, signal))
    if (clock.monotonicMs() - this.#comparedAt >= options.compareEveryMs) {
      yield * this.#placed(walk, this.#compare(walk, false, signal))
      this.#comparedAt = clock.monotonicMs()
    }
    this.#walk = walk
  }

  /** Where the last walk ended, unless the feed is another's by now: then from its end, and all studies are looked at. */
  async #begin (from: Walk, signal: AbortSignal): Promise<{ readonly walk: Walk, readonly exchanged: boolean }> {
    const { archive, feed, say } = this.#parts
    const newest = await archive.newest(signal)
    if (!await this.#isOther(from, newest, signal)) return { walk: from, exchanged: false }
    feed.count('archive-exchanged')
    say('the archive counts its changes anew: all of its studies are looked at')
    return { walk: { cursor: newest, mark: undefined, growing: new Map(), position: from.position }, exchanged: true }
  }

  /** Whether the feed, which ends at `newest`, is not the one that the walk followed. */
  async #isOther ({ cursor, mark }: Walk, newest: number, signal: AbortSignal): Promise<boolean> {
    if (newest < cursor) return true
    if (mark === undefined) return false
    if (newest < mark.seq) return true
    const [found] = (await this.#parts.archive.changes(mark.seq - 1, signal, 1)).changes
    return found?.seq === mark.seq && markOf(found).is !== mark.is
  }

  async * #follow (walk: Walk, signal: AbortSignal): AsyncIterable<SourceMessage> {
    for (;;) {
      const { changes, last, done } = await this.#parts.archive.changes(walk.cursor, signal)
      let held: SourceMessage | undefined
      for (const [study, seq] of await this.#studiesOf(changes, signal)) {
        let again = this.#known.get(study)?.saying !== undefined
        for await (const message of this.#look(study, walk, signal, seq)) {
          if (held !== undefined) yield this.#place(walk, held)
          held = again ? undefined : message
          if (again) yield this.#place(walk, message) // before a newer saying is kept in the place of this one
          again = false
        }
      }
      walk.cursor = Math.max(walk.cursor, changes.at(-1)?.seq ?? last)
      const newest = changes.at(-1)
      if (newest !== undefined) walk.mark = markOf(newest)
      if (held !== undefined) yield this.#place(walk, held) // the last of a page: when it is taken, the page is
      if (done || changes.length === 0) return
    }
  }

  /** Each study of a page once, with the first change that names it. New instances are told by the study's becoming stable. */
  async #studiesOf (changes: readonly Change[], signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const studies = new Map<string, number>()
    for (const { seq, type, resource, id } of changes) {
      const study = resource === 'Study' ? id : type === 'NewSeries' ? await this.#parts.archive.studyOfSeries(id, signal) : undefined
      if (study !== undefined && !studies.has(study)) studies.set(study, seq)
    }
    return studies
  }

  async * #look (study: string, walk: Walk, signal: AbortSignal, seq: number = walk.cursor): AsyncIterable<SourceMessage> {
    const { archive, feed, clock } = this.#parts
    const state = await archive.study(study, signal)
    if (state.kind === 'growing') { if (!walk.growing.has(study)) walk.growing.set(study, seq); return }
    const known = this.#known.get(study)
    switch (state.kind) {
      case 'here': yield * this.#state(study, state.tags); break
      case 'gone': yield * this.#withdraw(study); break
      case 'anonymised':
        if (known !== undefined) break
        feed.count('anonymised-skipped')
        await this.#known.save(study, { state: 'anonymised', version: 0, content: '', at: clock.now() })
    }
    walk.growing.delete(study)
  }

  async * #state (study: string, tags: StudyTags): AsyncIterable<SourceMessage> {
    yield * this.#sayAgain(study)
    const before = this.#said(study)
    if (before?.content !== contentOf(tags)) yield * this.#say(study, { version: (before?.version ?? 0) + 1, gone: false, tags })
    else if (before.state !== 'here') await this.#known.save(study, { ...before, state: 'here' })
  }

  async * #withdraw (study: string): AsyncIterable<SourceMessage> {
    const { options, clock, feed } = this.#parts
    yield * this.#sayAgain(study)
    const before = this.#said(study)
    if (before === undefined || before.state === 'gone') return
    if (before.tags === undefined) { await this.#known.save(study, undefined); return }
    if (options.deletions === 'withdraw') { yield * this.#say(study, { version: before.version + 1, gone: true, tags: before.tags }); return }
    if (this.#known.get(study)?.saying !== undefined) return // once that is said
    feed.count('deleted-kept')
    await this.#known.save(study, { ...before, state: 'gone', at: clock.now() })
  }

  /** Kept before it is yielded, so that it can be withdrawn whatever happens between; known as said when the log has it. */
  async * #say (study: string, saying: Saying): AsyncIterable<SourceMessage> {
    const row = this.#known.get(study) ?? { state: 'here', version: 0, content: '', at: this.#parts.clock.now() }
    await this.#known.save(study, { ...row, saying })
    yield this.#messageOf(study, saying)
  }

  /** A crash may have been between keeping and saying it, or after: the intake knows it by its version. */
  async * #sayAgain (study: string): AsyncIterable<SourceMessage> {
    const saying = this.#known.get(study)?.saying
    if (saying !== undefined) yield this.#messageOf(study, saying)
  }

  #messageOf (study: string, saying: Saying): SourceMessage {
    const acknowledge = async (): Promise<void> => {
      const row = this.#known.get(study)
      if (row?.saying?.version !== saying.version) return // something newer is being said by now
      const said = whenSaid(saying, this.#parts.clock.now())
      await this.#known.save(study, row.state === 'lost' && !saying.gone ? { ...said, state: 'lost' } : said)
    }
    return { raw: writeNotice({ kind: 'study', orthancId: study, ...saying }), acknowledge }
  }

  /** How the study will be known when what is on its way has come. */
  #said (study: string): KnownStudy | undefined {
    const row = this.#known.get(study)
    return row?.saying === undefined ? row : whenSaid(row.saying, row.at)
  }

  /** The list of studies against what is known: what the feed did not tell, because its rows are gone or because it never tells. */
  async * #compare (walk: Walk, exchanged: boolean, signal: AbortSignal): AsyncIterable<SourceMessage> {
    const { archive, clock } = this.#parts
    const listed = new Set<string>()
    for await (const page of archive.studies(signal)) {
      for (const study of page) {
        listed.add(study)
        const row = this.#known.get(study)
        const isSaid = row?.saying === undefined && (row?.state === 'anonymised' || row?.state === 'here')
        if (!walk.growing.has(study) && (exchanged || !isSaid)) yield * this.#look(study, walk, signal)
      }
    }
    if (!exchanged && await this.#isOther(walk, await archive.newest(signal), signal)) return // exchanged just now: the next read says so
    for (const [study, row] of this.#known.all()) {
      if (listed.has(study)) continue
      if (row.saying !== undefined) yield * this.#sayAgain(study)
      else if (row.state === 'gone') { if (clock.now() - row.at > ORTHANC_LIMITS.goneKeptMs) await this.#known.save(study, undefined) }
      const stands = row.state === 'lost' ? 'lost' : this.#said(study)?.state // one that was gone may just have been said to be here again
      if (stands === undefined || stands === 'gone' || stands === 'lost' || await archive.isHere(study, signal)) continue // a page may have moved while it was read
      if (exchanged) await this.#lose(study)
      else yield * this.#withdraw(study)
    }
  }

  /** An archive that was exchanged for an empty one, or an older copy, does not say that nobody was ever examined. */
  async #lose (study: string): Promise<void> {
    const row = this.#known.get(study)
    if (row === undefined || this.#said(study)?.state === 'gone') return
    this.#parts.feed.count('not-in-new-archive')
    await this.#known.save(study, { ...row, state: 'lost' })
  }

  async * #placed (walk: Walk, messages: AsyncIterable<SourceMessage>): AsyncIterable<SourceMessage> { for await (const message of messages) yield this.#place(walk, message) }

  /** The position that a message may carry: before the page that is read, and before every study that is still growing. */
  #place (walk: Walk, message: SourceMessage): SourceMessage {
    let seq = walk.cursor
    for (const first of walk.growing.values()) seq = Math.min(seq, first - 1)
    const position = walk.position = writePosition({ seq: Math.max(0, seq), mark: walk.mark })
    return { ...message, position }
  }
}
