import { readFileSync } from 'node:fs'
import { hl7Connector, hl7Mapper, startHl7 } from '../../connectors/hl7/index.ts'
import { Feed, fixedMapping, openIntake, PLAIN_MAPPING, type Connector } from '../../connectors/kit/index.ts'
import { startMqtt, type Association, type MqttCredentials } from '../../connectors/mqtt/index.ts'
import { LatidoError, messageOf } from '../../streams/errors/index.ts'
import type { Clock } from '../../streams/time/index.ts'
import type { Config } from '../config/index.ts'
import { anyKind, type AnyKind } from '../config/feeds/index.ts'
import type { IdentityVault } from '../security/index.ts'
import type { Closers } from './closers.ts'
import type { DataDir } from './data-dir.ts'
import { openHl7Outbound } from './hl7-outbound.ts'
import type { PipelineMonitor } from './status.ts'
import type { Stores } from './stores.ts'

/** The kinds of connectors that a feed may name. A new one is a line here: `anyKind(nameConnector)`. */
export const CONNECTOR_KINDS: readonly AnyKind[] = [
  anyKind(hl7Connector),
]

export interface ConnectorParts {
  readonly config: Config
  readonly dir: DataDir
  readonly stores: Stores
  readonly vault: IdentityVault
  readonly clock: Clock
  readonly monitor: PipelineMonitor
}

/** The intake, and every configured feed with its connector. */
export async function openConnectors (parts: ConnectorParts, closers: Closers): Promise<readonly Connector[]> {
  const { config, dir, stores, vault, clock, monitor } = parts
  const intake = closers.use(await openIntake({ log: stores.log, codecs: stores.codecs, clock, directory: dir.path('intake'), sealer: vault, identify: patient => vault.identify(patient), onCount: (source, what, n) => { monitor.count(source, what, n) } }))
  const hl7 = new Feed({ name: 'hl7', kind: 'hl7', intake, mapping: fixedMapping({ ...PLAIN_MAPPING, zone: config.zone }), map: hl7Mapper() })
  return [
    closers.use(await startHl7({ host: config.host, port: config.mllpPort, feed: hl7, clock })),
    closers.use(await startMqtt({ host: config.host, port: config.mqttPort, intake, clock, memory: intake.table<Association>('devices'), ...mqttCredentials(config) })),
    ...config.hl7Out === '' ? [] : [closers.use(openHl7Outbound(config.hl7Out, { stores, vault, intake, clock }))],
  ]
}

/** The password is read once, from its file, and stands in no log. */
function mqttCredentials ({ mqttUser, mqttPasswordFile }: Config): { readonly credentials?: MqttCredentials } {
  if (mqttUser === '') return {}
  try {
    return { credentials: { username: mqttUser, password: readFileSync(mqttPasswordFile, 'utf8').trim() } }
  } catch (cause) {
    throw new LatidoError('FILE_UNREADABLE', `the password file for MQTT cannot be read: ${messageOf(cause)}`, 'check --mqtt-password-file', cause)
  }
}
