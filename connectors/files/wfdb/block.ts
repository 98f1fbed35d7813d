/** Some frames of a record, as a message that can be read alone. */
export interface WfdbBlock {
  readonly identity: string
  readonly record: number
  readonly patient: string
  /** Of the record's first frame; wall time as if it were UTC unless `zoned`. */
  readonly startsAt: number
  readonly zoned: boolean
  /** Of this block's first frame, since the record's. */
  readonly firstMs: number
  readonly everyMs: number
  readonly signals: readonly WfdbValues[]
  /** Only this signal of the block: the others were taken. */
  readonly only?: string
}

/** `null` where nothing was measured. */
export interface WfdbValues { readonly name: string, readonly unit: string, readonly values: readonly (number | null)[] }

const MARK = 'latido-wfdb\n'

export function writeBlock (block: WfdbBlock): Buffer { return Buffer.from(MARK + JSON.stringify(block)) }

export function readBlock (raw: Buffer): WfdbBlock | undefined { return raw.subarray(0, MARK.length).toString('latin1') === MARK ? JSON.parse(raw.toString('utf8', MARK.length)) as WfdbBlock : undefined }
