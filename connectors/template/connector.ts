import { canonicalValue, identifierOf, IGNORE, isPossible, jsonOf, LatidoError, meaningOf, passOver, runSource, z, type ConnectorKind, type Fault, type MappedMessage, type MessageMapper, type Notices, type Source, type SourceMessage } from '../index.ts'

/** What the feed file may say in `options`. */
interface Options { readonly url: string, readonly pollEveryMs: number }
const options: z.ZodType<Options> = z.object({ url: z.url(), pollEveryMs: z.number().int().min(100).default(5_000) })

/** One reading as the source sends it. */
const reading = z.object({ id: z.string().min(1), patient: z.string().min(1), code: z.string(), value: z.number(), unit: z.string().default(''), at: z.iso.datetime({ offset: true }) })

/** How far the source's clock may be ahead of ours. */
const AHEAD_MS_MAX = 300_000
/** How long an answer is waited for. */
const ANSWER_MS_MAX = 30_000

/** Bytes of one reading to what goes on the log. Pure: it is also how a dead letter is read again. */
const map: MessageMapper = (raw, { now, mapping, unmapped }): MappedMessage => {
  const source = 'example:readings'
  const notices: Notices = new Map()
  const rejected = (cause: Fault['cause'], detail: string): MappedMessage => ({ kind: 'rejected', source, fault: { cause, detail }, notices })
  const parsed = reading.safeParse(jsonOf(raw))
  if (!parsed.success) return rejected('malformed', `the reading is not as expected: ${parsed.error.issues[0]?.path.join('.') ?? ''}`)
  const { id, patient, code, value, unit, at } = parsed.data
  const patientId = identifierOf(mapping, '', patient)
  if (patientId === undefined) return rejected('patient-missing', 'the identifier has no namespace')
  const meaning = meaningOf(mapping, '', code)
  if (meaning === undefined) {
    unmapped({ system: '', code, text: '', unit })
    return rejected('code-unknown', 'no concept has this code')
  }
  if (meaning === IGNORE) {
    passOver(notices)
    return { kind: 'mapped', source, id, content: raw, events: [], refused: [], notices }
  }
  const canonical = canonicalValue(mapping, meaning, value, unit)
  if (canonical === undefined) return rejected('unit-unknown', 'the unit is not one of this code')
  if (!isPossible(meaning.concept, canonical)) return rejected('value-impossible', 'outside what is possible')
  const eventTime = Date.parse(at)
  if (eventTime > now + AHEAD_MS_MAX) return rejected('time-in-future', 'the reading is from the future')
  return {
    kind: 'mapped', source, id, content: raw, refused: [], notices,
    events: [{
      patient: { id: patientId },
      event: { type: 'observations', kind: 'charted', source, observations: [{ concept: meaning.concept, value: canonical, comparator: '=', eventTime: Math.min(eventTime, now), status: 'final', quality: 'valid', resultId: id }] },
    }],
  }
}

/** Asks for what came after the position. The kit asks again, keeps the position, and waits where the other side is away. */
class Readings implements Source {
  readonly endpoint: string
  constructor (url: string) { this.endpoint = url }

  async * read ({ position, signal }: { readonly position: string | undefined, readonly signal: AbortSignal }): AsyncIterable<SourceMessage> {
    for (let after = position ?? ''; ;) {
      const answer = await fetch(`${this.endpoint}?after=${encodeURIComponent(after)}`, { signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS_MAX)]) })
      if (!answer.ok) throw new LatidoError('SOURCE_UNAVAILABLE', `the source answers ${answer.status}`, 'look at its log')
      const page = z.array(z.object({ position: z.string() }).loose()).parse(await answer.json())
      for (const { position: reached, ...message } of page) yield { raw: Buffer.from(JSON.stringify(message)), position: reached }
      const last = page.at(-1)
      if (last === undefined) return
      after = last.position
    }
  }
}

/** The connector: what a feed file names, maps and starts. One that listens, rather than asks, says where: `listens: ({ host, port }) => ({ host, port })`. */
export const connector: ConnectorKind<Options> = {
  kind: 'example',
  summary: 'readings from a service that is asked for them',
  options,
  mapper: () => map,
  start: ({ feed, clock, table, say }, { url, pollEveryMs }) => Promise.resolve(runSource(new Readings(url), { feed, clock, positions: table('position'), limits: { pollEveryMs }, say })),
}
