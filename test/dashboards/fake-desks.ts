import type { CodesOutcome, CodeToMap, ConceptInfo, DeadLetterDesk, DropRound, FeedDesk, FeedInfo, LetterFilter, LetterInfo, LetterOutcome, LetterPage, MapCodeOutcome, MappedCode, ReloadReport, RetryRound } from '../../dashboards/server/index.ts'
import { CONCEPT_IDS, CONCEPTS } from '../../streams/events/index.ts'

/** Two invented feeds: one with codes to map, one whose newer file was refused. */
export class FakeFeeds implements FeedDesk {
  readonly mapped: (CodeToMap & { readonly feed: string, readonly by: string })[] = []
  reloads = 0
  /** What the next mapping is answered with, in place of success. */
  refusal: MapCodeOutcome | undefined
  list: FeedInfo[]
  /** Of every feed. */
  table: MappedCode[] = [{ system: 'L', code: 'K', concept: 'potassium', unit: 'mmol/L' }, { system: 'L', code: 'GLOSSE', concept: 'ignore', unit: '' }, ...Array.from({ length: 10 }, (_, i): MappedCode => ({ system: '', code: `XLAC${i}`, concept: 'lactate', unit: '' }))]

  constructor (now: number) {
    this.list = [
      {
        name: 'lab', connector: 'hl7', endpoint: 'mllp://127.0.0.1:2575', site: 'north', zone: 'Europe/Madrid', health: { state: 'up', since: now - 7_200_000, why: '' }, configuration: { state: 'current', faults: [] },
        counts: { published: 4_211, duplicates: 3, refused: 41, archived: 17, codesIgnored: 206 }, codes: 12, clocks: null, others: 0,
        unmapped: [{ system: 'L', code: 'KREA', text: 'Kreatinin i.S.', unit: 'umol/L', count: 38, firstAt: now - 5_000_000, lastAt: now - 12_000 }, { system: '', code: 'XPULS', text: 'Puls', unit: '', count: 3, firstAt: now - 4_000_000, lastAt: now - 600_000 }],
      },
      {
        name: 'monitors', connector: 'mqtt-broker', endpoint: 'mqtts://broker.example:8883', site: '', zone: 'UTC', health: { state: 'waiting', since: now - 45_000, why: 'the broker is away' },
        configuration: { state: 'refused', faults: ['monitors.json:5: options.prot: there is no such option; there are: url'] }, counts: { published: 1_280_310, duplicates: 0, refused: 6, archived: 0, codesIgnored: 0 }, codes: 0, unmapped: [], others: 0,
        clocks: { byDistance: { inStep: 41, seconds: 1, minutes: 1, hours: 1, days: 1, unknown: 2 }, worst: [{ device: 'pump-3', offsetMs: now - 40_000, looks: 'dateLost', heardAt: now - 3_000 }, { device: 'monitor-12', offsetMs: -3_600_400, looks: 'zone', heardAt: now - 1_000 }, { device: 'monitor-07', offsetMs: 421_000, looks: 'off', heardAt: now - 2_000 }] },
      },
    ]
  }

  feeds (): readonly FeedInfo[] { return this.list }
  concepts (): readonly ConceptInfo[] { return CONCEPT_IDS.map(id => ({ id, name: CONCEPTS[id].name, unit: CONCEPTS[id].unit })) }
  async reload (): Promise<ReloadReport> { this.reloads++; return { changed: ['lab'], refused: ['monitors.json:5: options.prot: there is no such option; there are: url'] } }

  async mapCode (feed: string, code: CodeToMap, by: string): Promise<MapCodeOutcome> {
    const at = this.list.findIndex(({ name }) => name === feed)
    if (at === -1) return { kind: 'feed-unknown' }
    if (this.refusal !== undefined) return this.refusal
    this.mapped.push({ ...code, feed, by })
    const { was: _, replace: __, ...row } = code
    this.table = [...this.table.filter(one => one.code !== code.code), row]
    const before = this.list[at]!
    const after = { ...before, codes: this.table.length, unmapped: before.unmapped.filter(one => one.code !== code.code) }
    this.list[at] = after
    return { kind: 'mapped', feed: after }
  }

  async removeCode (feed: string, { code }: MappedCode): Promise<MapCodeOutcome> {
    const at = this.list.findIndex(({ name }) => name === feed)
    if (at === -1) return { kind: 'feed-unknown' }
    if (this.refusal !== undefined) return this.refusal
    this.table = this.table.filter(one => one.code !== code)
    return { kind: 'mapped', feed: this.list[at] = { ...this.list[at]!, codes: this.table.length } }
  }

  codes (feed: string, find: string, limit: number): CodesOutcome {
    if (!this.list.some(({ name }) => name === feed)) return { kind: 'feed-unknown' }
    const found = this.table.filter(({ system, code, concept }) => `${system} | ${code} ${concept}`.toLowerCase().includes(find.toLowerCase()))
    return { kind: 'codes', page: { total: this.table.length, matching: found.length, codes: found.slice(0, limit) } }
  }
}

/** Invented dead letters: a retry of an odd offset is published, of an even one refused again. */
export class FakeLetters implements DeadLetterDesk {
  letters: LetterInfo[]
  opened = 0
  readonly #now: number

  constructor (now: number, count = 3) {
    this.#now = now
    const causes = ['code-unknown', 'unit-unknown', 'step-failed'] as const
    this.letters = Array.from({ length: count }, (_, i): LetterInfo => {
      const engine = i % 3 === 2
      return { offset: 101 + i, cause: causes[i % 3]!, detail: engine ? 'the step threw' : `OBX-3 of segment ${4 + i}`, source: engine ? 'engine' : 'hl7:lab', feed: engine ? '' : 'lab', refusedAt: now - 60_000 * (count - i), bytes: 600 + i, partition: engine ? 1 : -1, position: engine ? 88 : -1, state: 'open', retryable: !engine, attempts: 0, last: null }
    })
  }

  list ({ cause, feed, state = 'open' }: LetterFilter, after: number | undefined, limit: number): LetterPage {
    const all = this.letters.filter(one => (cause === undefined || one.cause === cause) && (feed === undefined || one.feed === feed) && (state === 'all' || one.state === state))
    const older = all.filter(one => after === undefined || one.offset < after).reverse()
    return { letters: older.slice(0, limit), matching: all.length, next: older.length > limit ? older[limit - 1]!.offset : null }
  }

  show (offset: number): LetterInfo | undefined { return this.letters.find(one => one.offset === offset) }
  async raw (offset: number): Promise<Buffer | undefined> { this.opened++; return this.show(offset) === undefined ? undefined : Buffer.from('MSH|^~\\&|LAB\rPID|1||TEST-1\rOBR|1\rOBX|1|NM|XLAC^Laktat^L||3.4\r') }

  async retry (offset: number, by: string): Promise<LetterOutcome> {
    const letter = this.show(offset)
    if (letter !== undefined && letter.feed === '') return { kind: 'no-feed', why: 'no feed can read it again' }
    const again = offset % 2 === 0
    return this.#change(offset, one => ({ ...one, state: again ? 'open' : 'retried', retryable: again, attempts: one.attempts + 1, last: { action: 'retried', outcome: again ? 'refused' : 'published', cause: again ? 'unit-unknown' : '', detail: again ? 'OBX-6 of segment 5' : '', at: this.#now, by } }))
  }

  async retryAll (filter: LetterFilter, limit: number, by: string): Promise<RetryRound> {
    const counts = { published: 0, refused: 0 }
    const { letters } = this.list({ ...filter, state: 'open' }, undefined, limit)
    for (const { offset } of letters) {
      const outcome = await this.retry(offset, by)
      if (outcome.kind === 'done') counts[outcome.letter.last?.outcome === 'published' ? 'published' : 'refused']++
    }
    return { tried: counts.published + counts.refused, ...counts, duplicate: 0, archived: 0, left: 0 }
  }

  async drop (offset: number, by: string): Promise<LetterOutcome> { return this.#change(offset, one => ({ ...one, state: 'dropped', retryable: false, last: { action: 'dropped', outcome: 'dropped', cause: '', detail: '', at: this.#now, by } })) }

  async dropAll (filter: LetterFilter, limit: number, by: string): Promise<DropRound> {
    const all = this.list({ ...filter, state: 'open' }, undefined, 1_000).letters.toReversed()
    for (const { offset } of all.slice(0, limit)) await this.drop(offset, by)
    return { dropped: Math.min(limit, all.length), left: Math.max(0, all.length - limit) }
  }

  #change (offset: number, to: (letter: LetterInfo) => LetterInfo): LetterOutcome {
    const letter = this.show(offset)
    if (letter === undefined) return { kind: 'unknown' }
    if (letter.state !== 'open') return { kind: 'closed', state: letter.state }
    const next = to(letter)
    this.letters = this.letters.map(one => one.offset === offset ? next : one)
    return { kind: 'done', letter: next }
  }
}
