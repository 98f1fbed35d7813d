import { isSameSecret, refuseOpenExposure } from '../kit/index.ts'
import type { MqttCredentials } from './options.ts'

/** Throws UNSAFE_EXPOSURE where the network could write into patients' records without a password. */
export function refuseWithoutCredentials (host: string, credentials: MqttCredentials | undefined): void {
  const guarded = credentials !== undefined && credentials.username !== '' && credentials.password !== ''
  refuseOpenExposure({ host, what: 'the MQTT endpoint', guarded, without: 'without credentials', action: 'set a user name and a password for MQTT' })
}

/** Compares in constant time, whatever the lengths. */
export function credentialsMatch (expected: MqttCredentials, username: string | undefined, password: Buffer | undefined): boolean {
  const user = isSameSecret(username ?? '', expected.username)
  const pass = isSameSecret(password ?? '', expected.password)
  return user && pass
}
