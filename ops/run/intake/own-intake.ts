import { openIntake, type OpenIntake, withVisits } from '../../../connectors/kit/index.ts'
import type { Clock } from '../../../streams/time/index.ts'
import type { Config } from '../../config/index.ts'
import type { IdentityVault } from '../../security/index.ts'
import type { Closers } from '../closers.ts'
import type { DataDir } from '../data-dir.ts'
import { openSharedSeen } from './shared-seen.ts'
import type { LogStores } from '../stores.ts'

export interface OwnIntakeParts {
  readonly config: Config
  readonly dir: DataDir
  readonly stores: LogStores
  readonly vault: IdentityVault
  readonly clock: Clock
  readonly onCount: (source: string, what: string, n: number) => void
}

/** This process's intake; with Redis it knows of the messages of others. Throws what connecting to Redis does. */
export async function openOwnIntake ({ config, dir, stores, vault, clock, onCount }: OwnIntakeParts, closers: Closers): Promise<OpenIntake> {
  const share = config.redis === undefined ? undefined : await openSharedSeen(config.redis, dir, clock, () => { onCount('kit', 'seen-away', 1) }, closers)
  const identify: IdentityVault['identify'] = patient => vault.identify(patient)
  return closers.use(withVisits(await openIntake({ log: stores.log, codecs: stores.codecs, clock, directory: dir.path('intake'), sealer: vault, identify, isKnown: id => vault.keyOf(id) !== undefined, onCount, ...share === undefined ? {} : { share } }), { identify, tokenOf: text => vault.pseudonymOf(text) }))
}
