import { z } from 'zod'
import { canonicalValue, meaningOf, type ConnectorContext, type ConnectorKind, type Feed, type MessageMapper } from '../../../../connectors/kit/index.ts'
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
  const canonical = canonicalValue(mapping, meaning, Number(value), unit)
  if (canonical === undefined) return { kind: 'rejected', source: 'line:test', fault: { cause: 'unit-unknown', detail: 'the fourth word' }, notices: new Map() }
  const observation = { concept: meaning.concept, value: canonical, comparator: '=' as const, eventTime: now, status: 'final' as const, quality: 'valid' as const, resultId: '' }
  return { kind: 'mapped', source: 'line:test', id: raw.toString(), content: raw, events: [{ patient: { id }, event: { type: 'observations', kind: 'device', source: 'line:test', observations: [observation] } }], refused: [], notices: new Map() }
}

/** What the running connectors were started with, by feed. */
export class LineHouse {
  readonly contexts: Map<string, ConnectorContext> = new Map()
  readonly secrets: string[] = []
  readonly kind: AnyKind

  constructor () {
    const kind: ConnectorKind<LineOptions> = {
      kind: 'line', summary: 'for tests', options: z.object({ port: z.number().default(1), token: z.union([z.strictObject({ file: z.string() }), z.strictObject({ env: z.string() })]).optional() }) as unknown as z.ZodType<LineOptions>,
      mapper: () => map,
      start: (context, { token }) => {
        this.contexts.set(context.feed.name, context)
        if (token !== undefined) this.secrets.push(context.secret(token))
        const since = context.clock.now()
        return Promise.resolve({ name: context.feed.name, endpoint: 'line://here', health: () => ({ state: 'up', since, why: '' }), [Symbol.asyncDispose]: () => Promise.resolve() })
      },
    }
    this.kind = anyKind(kind)
  }

  feed (name: string): Feed { return this.contexts.get(name)!.feed }
}
