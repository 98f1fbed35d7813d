import type { Api } from '../../wire/index.ts'
import type { Versions } from '../versions.ts'

export interface ApiVersionsRequest { readonly softwareName: string, readonly softwareVersion: string }
export interface ApiVersionsResponse {
  readonly errorCode: number
  readonly versions: Versions
  /** Finalised features by name, with the level in force (KIP-584). */
  readonly features: ReadonlyMap<string, number>
  readonly throttleTimeMs: number
}

const FINALIZED_FEATURES = 2

/** What a broker speaks. A broker that does not know our version answers in version 0, with its range among the calls (KIP-511). */
export const apiVersions: Api<ApiVersionsRequest, ApiVersionsResponse> = {
  name: 'ApiVersions', key: 18, minVersion: 0, maxVersion: 4, flexibleFrom: 3,

  encode (writer, { softwareName, softwareVersion }, version) {
    if (version >= 3) writer.compactString(softwareName).compactString(softwareVersion).tags()
  },

  decode (reader, version) {
    const errorCode = reader.int16()
    const readVersion = version >= 3 && errorCode !== 35 ? version : 0
    const range = (): [number, { min: number, max: number }] => {
      const entry: [number, { min: number, max: number }] = [reader.int16(), { min: reader.int16(), max: reader.int16() }]
      if (readVersion >= 3) reader.tags()
      return entry
    }
    if (readVersion < 3) return { errorCode, versions: new Map(reader.array(range)), features: new Map(), throttleTimeMs: 0 }
    const versions = new Map(reader.compactArray(range))
    const throttleTimeMs = reader.int32()
    let features: ReadonlyMap<string, number> = new Map()
    reader.tags(tag => {
      if (tag !== FINALIZED_FEATURES) return
      features = new Map(reader.compactArray(() => {
        const entry: [string, number] = [reader.compactString() ?? '', reader.int16()]
        reader.int16() // the lowest level that is allowed
        reader.tags()
        return entry
      }))
    })
    return { errorCode, versions, features, throttleTimeMs }
  },
}
