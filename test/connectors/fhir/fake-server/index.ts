/** A FHIR R4 server for tests, with faults and limits. */
export { FakeFhirServer } from './server.ts'
export type { FakeServerOptions } from './server.ts'
export type { Resource } from './store.ts'
