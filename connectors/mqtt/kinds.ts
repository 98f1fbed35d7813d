import { LatidoError } from '../../streams/errors/index.ts'
import type { ConnectorContext, ConnectorKind, SecretRef } from '../kit/index.ts'
import type { DeviceRow } from './associations.ts'
import { followBroker } from './broker.ts'
import { devicesOf } from './devices.ts'
import { mqttMapper } from './mapper.ts'
import { mqttBrokerOptions, mqttFeedOptions, type Association, type MqttBrokerOptions, type MqttCredentials, type MqttFeedOptions } from './options.ts'
import { startEndpoint } from './start.ts'

/** Devices connect to Latido, which is their broker. */
export const mqttConnector: ConnectorKind<MqttFeedOptions> = {
  kind: 'mqtt',
  summary: 'monitors and pumps over MQTT 3.1.1 and 5; Latido is the broker',
  options: mqttFeedOptions,
  listens: ({ host, port }) => ({ host, port }),
  mapper: options => mqttMapper(options, devicesOf(options)),
  start: async (context, options) => {
    const { feed, clock, say } = context
    return await startEndpoint({ host: options.host, port: options.port, feed, options, clock, memory: context.table<DeviceRow | Association>('devices'), credentials: credentialsOf(context, options), say: line => { say(line) } })
  },
}

/** Latido reads from a broker that the hospital has. */
export const mqttBrokerConnector: ConnectorKind<MqttBrokerOptions> = {
  kind: 'mqtt-broker',
  summary: 'monitors and pumps that publish to a broker of the hospital\'s (mosquitto and others); Latido subscribes',
  options: mqttBrokerOptions,
  mapper: options => mqttMapper(options, devicesOf(options)),
  start: (context, options) => {
    const { feed, clock, say } = context
    const pem = (name: 'ca' | 'cert' | 'key', ref: SecretRef | undefined): object => ref === undefined ? {} : { [name]: context.secret(ref) }
    const tls = { ...pem('ca', options.ca), ...pem('cert', options.certificate), ...pem('key', options.key) }
    return Promise.resolve(followBroker({ feed, options, clock, memory: context.table<DeviceRow | Association>('devices'), credentials: credentialsOf(context, options), tls, say: line => { say(line) } }))
  },
}

function credentialsOf (context: ConnectorContext, { username, password }: Pick<MqttFeedOptions, 'username' | 'password'>): MqttCredentials | undefined {
  if (username === undefined || password === undefined) return undefined
  const secret = context.secret(password)
  if (secret === '') throw new LatidoError('CONFIG_INVALID', 'the password for MQTT is empty', 'write one into the file or the variable that the feed names')
  return { username, password: secret }
}
