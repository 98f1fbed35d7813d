import { TOPICS } from '../../../streams/events/index.ts'
import { partitionFor } from '../../../streams/codec/index.ts'
import type { Clock } from '../../../streams/time/index.ts'
import type { Config } from '../../config/index.ts'
import { IdentityVault } from '../../security/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { Closers } from '../closers.ts'
import type { DataDir } from '../data-dir.ts'
import { SharedIdentities } from './shared-identities.ts'
import type { LogStores } from '../stores.ts'

export interface VaultParts {
  readonly config: Config
  readonly dir: DataDir
  readonly stores: Pick<LogStores, 'log' | 'codecs' | 'driver'>
  readonly clock: Clock
  readonly logger: Pick<Logger, 'warn'>
  /** Somebody whom another instance heard of became known here. */
  readonly onLearned?: () => void
}

/**
 * The vault of the data directory. A sealed copy of each identity goes to the log; on a cluster the vaults of all instances learn from it what the others
 * know. Throws DATA_DIR_UNWRITABLE, STORE_CORRUPT, KEY_MISMATCH.
 */
export async function openVault ({ config, dir, stores: { log, codecs, driver }, clock, logger, onLearned }: VaultParts, closers: Closers): Promise<IdentityVault> {
  const files = { directory: dir.path('identity'), keyFile: keyFileOf(config, dir) }
  if (driver === 'embedded') {
    return closers.use(new IdentityVault({
      ...files,
      publish: async (patient, { sealed }) => { // without the patient's key: nobody else reads it, and erasing the key here erases the copy too
        const key = Buffer.from(patient)
        await log.producer().append({ topic: TOPICS.identity, partition: partitionFor(key, log.partitionsOf(TOPICS.identity)) }, [{ key, value: codecs.encodeIdentity({ sealed, key: Buffer.alloc(0) }) }])
      },
    }))
  }
  const shared = new SharedIdentities({ log, codecs, clock, logger, ...onLearned === undefined ? {} : { onLearned } })
  const vault = closers.use(new IdentityVault({ ...files, publish: (patient, record) => shared.publish(patient, record), catchUp: patient => shared.catchUp(patient) }))
  closers.use(shared)
  await shared.join(vault)
  return vault
}

/** The key of this installation. */
export function keyFileOf ({ keyFile }: Config, dir: DataDir): string { return keyFile === '' ? dir.path('keys', 'master.key') : keyFile }
