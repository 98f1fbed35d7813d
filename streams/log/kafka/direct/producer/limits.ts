import { LatidoError } from '../../../../errors/index.ts'

/** Room for the lengths, the deltas and the headers of a record beside its key and value. */
export const RECORD_OVERHEAD_BYTES = 64

export function checkRecordBytes (bytes: number, maxBytes: number): void {
  if (bytes > maxBytes) throw new LatidoError('RECORD_TOO_LARGE', `a record is larger than ${maxBytes} bytes`, 'send smaller messages, or refuse them at the connector')
}
