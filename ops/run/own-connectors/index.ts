/** Connectors of a user's own: TypeScript files in the folder of feeds. */
export { loadHarness, ownKinds } from './own-kinds.ts'
export { newConnector } from './new-connector.ts'
