import { z } from 'zod'
import { LatidoError } from '../../../../streams/errors/index.ts'
import { canonicalValue, IGNORE, meaningOf, passOver, type ConnectorContext, type ConnectorKind, type Feed, type MessageMapper, type Notices } from '../../../../connectors/kit/index.ts'
import { anyKind, type AnyKind } from '../../../../ops/config/index.ts'

interface LineOptions { readonly port: number, readonly token?: { readonly file: string } | { readonly env: string } | undefined }

/** `PATIENT CODE VALUE [UNIT]`: the smallest feed there can be. */
const map: MessageMapper = (raw, { mapping, now, unmapped }) => {
  const [id = '', code = '', value = '', unit = ''] = raw.toString().split(' ')
  const meaning = meaningOf(mapping, 'L', code)
  if (meaning === undefined) {
    unmapped({ system: 'L', code, text: `name of ${code}`, unit })
    return { kind: 'rejected', source: 'line:test', fault: { cause: 'code-unknown', detail: 'the second word' }, notices: new Map() }
  }
  const notices: Notices = new Map()
  if (meaning === IGNORE) {
    passOver(notices)
    return { kind: 'mapped', source: 'line:test', id: raw.toString(), content: raw, events: [], refused: [], notices }
  }
  const canonical = canonicalValue(mapping, meaning, Number(value), unit)
  if (canonical === undefined) return { kind: 'rejected', source: 'line:test', fault: { cause: 'unit-unknown', detail: 'the fourth word' }, notices: new Map() }
  const observation = { concept: meaning.concept, value: canonical, comparator: '=' as const, eventTime: now, status: 'final' as const, quality: 'valid' as const, resultId: '' }
  return { kind: 'mapped', source: 'line:test', id: raw.toString(), content: raw, events: [{ patient: { id }, event: { type: 'observations', kind: 'device', source: 'line:test', observations: [observation] } }], refused: [], notices: new Map() }
}

/** What the running connectors were started with, by feed. */
export class LineHouse {
  readonly contexts: Map<string, ConnectorContext> = new Map()
  readonly secrets: string[] = []
  /** `lab 1`: the feed and its port, each time that one began. */
  readonly started: string[] = []
  readonly kind: AnyKind
  /** Nothing can be started. */
  broken = false
  /** Connectors of one feed that ran at the same time, or were ended while they had a message. */
  overlaps = 0
  readonly #running = new Map<string, { readonly port: number, readonly inHand: Set<Promise<unknown>> }>()

  constructor () {
    const kind: ConnectorKind<LineOptions> = {
      kind: 'line', summary: 'for tests', options: z.object({ port: z.number().default(1), token: z.union([z.strictObject({ file: z.string() }), z.strictObject({ env: z.string() })]).optional() }) as unknown as z.ZodType<LineOptions>,
      mapper: () => map,
      start: (context, { port, token }) => {
        const { name } = context.feed
        if (this.broken) return Promise.reject(new LatidoError('PORT_IN_USE', 'nothing can be started', 'mend it'))
        if (port === 7 && [...this.#running.values()].some(one => one.port === port)) return Promise.reject(new LatidoError('PORT_IN_USE', 'port 7 is taken', 'choose another'))
        if (this.#running.has(name)) this.overlaps++
        const inHand = new Set<Promise<unknown>>()
        this.#running.set(name, { port, inHand })
        this.started.push(`${name} ${port}`)
        this.contexts.set(context.feed.name, context)
        if (token !== undefined) this.secrets.push(context.secret(token))
        const since = context.clock.now()
        return Promise.resolve({ name: context.feed.name, endpoint: 'line://here', health: () => ({ state: 'up', since, why: '' }), [Symbol.asyncDispose]: async () => { this.#running.delete(name); await Promise.all(inHand) } })
      },
    }
    this.kind = anyKind(kind)
  }

  /** The port of the feed's connector; undefined: none runs. */
  running (name: string): number | undefined { return this.#running.get(name)?.port }

  /** As a sender: false where nobody listens, or what was sent is not answered. */
  async offer (name: string, raw: Buffer): Promise<boolean> {
    const line = this.#running.get(name)
    if (line === undefined) return false
    const work = this.feed(name).take(raw)
    line.inHand.add(work)
    await work
    line.inHand.delete(work)
    return this.#running.get(name) === line // else its answer was lost with the connection
  }

  feed (name: string): Feed { return this.contexts.get(name)!.feed }
}
