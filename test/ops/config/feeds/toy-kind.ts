import { z } from 'zod'
import { PLAIN_MAPPING, type ConnectorKind } from '../../../../connectors/kit/index.ts'
import { anyKind, type AnyKind } from '../../../../ops/config/feeds/index.ts'

interface ToyOptions { readonly port: number, readonly tls: { readonly certificate: string } | undefined }

/** A kind of connector that never runs: for what configuration says of one. */
const toy: ConnectorKind<ToyOptions> = {
  kind: 'toy',
  summary: 'for tests',
  options: z.object({ port: z.number().int().min(0).max(65_535).default(0), tls: z.strictObject({ certificate: z.string() }).optional() }) as unknown as z.ZodType<ToyOptions>,
  mapper: () => () => ({ kind: 'rejected', source: 'toy', fault: { cause: 'malformed', detail: '' }, notices: new Map() }),
  start: ({ feed, clock }) => Promise.resolve({ name: feed.name, endpoint: 'toy://', health: () => ({ state: 'up', since: clock.now(), why: '' }), [Symbol.asyncDispose]: () => Promise.resolve() }),
}

export const TOY: AnyKind = anyKind(toy)
/** One that says where it listens. */
export const LISTENING_TOY: AnyKind = anyKind({ ...toy, listens: ({ port }) => ({ host: '127.0.0.1', port }) })
export const NO_UNITS: typeof PLAIN_MAPPING.units = new Map()
