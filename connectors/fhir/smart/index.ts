/** SMART Backend Services: discovery, signed assertions, tokens that are renewed. */
export { backendServices } from './backend-services.ts'
export type { BackendServicesOptions } from './backend-services.ts'
export { ALGORITHMS, readKey } from './assertion.ts'
export type { Algorithm, SigningKey } from './assertion.ts'
export { discover } from './discovery.ts'
export type { SmartConfiguration } from './discovery.ts'
