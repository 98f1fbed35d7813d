import { TOPICS } from '../../streams/events/index.ts'
import { partitionFor } from '../../streams/codec/index.ts'
import type { Config } from '../config/index.ts'
import { IdentityVault } from '../security/index.ts'
import type { DataDir } from './data-dir.ts'
import type { LogStores } from './stores.ts'

/** The vault of the data directory; a sealed copy of each identity goes to the log. Throws DATA_DIR_UNWRITABLE, STORE_CORRUPT. */
export function openVault (config: Config, dir: DataDir, { log, codecs }: LogStores): IdentityVault {
  return new IdentityVault({
    directory: dir.path('identity'),
    keyFile: keyFileOf(config, dir),
    publish: async (patient, sealed) => {
      const key = Buffer.from(patient)
      await log.producer().append({ topic: TOPICS.identity, partition: partitionFor(key, log.partitionsOf(TOPICS.identity)) }, [{ key, value: codecs.encodeIdentity(sealed) }])
    },
  })
}

/** The key of this installation. */
export function keyFileOf ({ keyFile }: Config, dir: DataDir): string { return keyFile === '' ? dir.path('keys', 'master.key') : keyFile }
