/** Device numerics over MQTT: an embedded broker whose acknowledgement means that the log has the message. */
export { startMqtt } from './start.ts'
export { MQTT_LIMITS } from './options.ts'
export type { Association, AssociationMemory, MqttCredentials, MqttLimits, MqttOptions } from './options.ts'
