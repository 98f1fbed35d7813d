import { viewFingerprint, type FeatureView } from '../define/index.ts'
import { LatidoError } from '../../streams/errors/index.ts'

/**
 * One word about a view, on `latido.views`: append-only, read from its beginning at each start. Of several `published` of one name and version
 * the first counts, so instances that start at the same time agree.
 */
export type ViewRecord =
  /**
   * `generation`: the processor that computes it; those of one generation are planned together and stay so. `silent`: readings that arrived before this
   * record only build its state; otherwise (the first start of an installation) it speaks from the beginning of the log.
   */
  | { readonly kind: 'published', readonly definition: FeatureView, readonly fingerprint: string, readonly generation: number, readonly silent: boolean }
  /** It has caught up with the log. */
  | { readonly kind: 'live', readonly view: string, readonly version: number }
  /** It is computed no more, and may not come back. */
  | { readonly kind: 'retired', readonly view: string, readonly version: number }

export function published (definition: FeatureView, generation: number, silent: boolean): ViewRecord {
  return { kind: 'published', definition, fingerprint: viewFingerprint(definition), generation, silent }
}

export function encodeViewRecord (record: ViewRecord): Buffer { return Buffer.from(JSON.stringify({ format: 1, ...record })) }

/** Throws PAYLOAD_INVALID. */
export function decodeViewRecord (bytes: Buffer): ViewRecord {
  try {
    const { format, ...record } = JSON.parse(bytes.toString(), revive) as ViewRecord & { readonly format: number }
    if (format === 1 && ['published', 'live', 'retired'].includes(record.kind)) return record
  } catch { /* the same as another form */ }
  throw new LatidoError('PAYLOAD_INVALID', 'a record on latido.views is of no known form', 'start the newer version that wrote it')
}

/** JSON has no infinity: the bound of a band that is open above. */
function revive (key: string, value: unknown): unknown { return key === 'upTo' && value === null ? Infinity : value }
