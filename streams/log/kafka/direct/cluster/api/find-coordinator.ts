import type { Api } from '../../wire/index.ts'

export interface FindCoordinatorRequest { readonly of: 'group' | 'transaction', readonly key: string }
export interface FindCoordinatorResponse { readonly errorCode: number, readonly errorMessage: string | null, readonly id: number, readonly host: string, readonly port: number }

const GROUP = 0
const TRANSACTION = 1

/** Which broker coordinates a group or a transactional id. Version 4 and later ask for several at once (KIP-699); we ask for one. */
export const findCoordinator: Api<FindCoordinatorRequest, FindCoordinatorResponse> = {
  name: 'FindCoordinator', key: 10, minVersion: 3, maxVersion: 6, flexibleFrom: 3,

  encode (writer, { of, key }, version) {
    const type = of === 'group' ? GROUP : TRANSACTION
    if (version < 4) writer.compactString(key).int8(type).tags()
    else writer.int8(type).compactArray([key], one => { writer.compactString(one) }).tags()
  },

  decode (reader, version) {
    reader.int32() // throttle_time_ms
    if (version < 4) {
      const [errorCode, errorMessage] = [reader.int16(), reader.compactString()]
      return { errorCode, errorMessage, id: reader.int32(), host: reader.compactString() ?? '', port: reader.int32() }
    }
    const [found] = reader.compactArray(() => {
      reader.compactString() // the key
      const [id, host, port] = [reader.int32(), reader.compactString() ?? '', reader.int32()]
      const coordinator = { errorCode: reader.int16(), errorMessage: reader.compactString(), id, host, port }
      reader.tags()
      return coordinator
    })
    if (found === undefined) throw new RangeError('the answer names no coordinator')
    return found
  },
}
