/** Devices over MQTT: kinds of connectors whose acknowledgement means that the log has the message. */
export { mqttBrokerConnector, mqttConnector } from './kinds.ts'
/** The endpoint where no feed is configured. */
export { startMqtt } from './start.ts'
export type { MqttOptions } from './start.ts'
/** Raw envelopes to events, and the form of an envelope. */
export { DEVICE_STATUS_SYSTEM, mqttMapper } from './mapper.ts'
export { fromEnvelope, toEnvelope } from './envelope.ts'
/** What is known of devices, and as which row it is kept. */
export { Devices, devicesOf } from './devices.ts'
export type { DeviceState } from './devices.ts'
export type { DeviceRow } from './associations.ts'
export { ARTEFACT_RULES } from './artefact-rules.ts'
export type { ArtefactRules } from './artefact-rules.ts'
export { DEVICE_OPTIONS, MQTT_LIMITS } from './options.ts'
export type { Association, DeviceOptions, MqttBrokerOptions, MqttCredentials, MqttFeedOptions, MqttLimits } from './options.ts'
