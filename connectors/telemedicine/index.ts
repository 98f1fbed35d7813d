/** Telemedicine: an HTTP API through which phone apps and clinics send home vitals, reported symptoms and scored questionnaires. */
export { telemedicineConnector } from './kind.ts'
/** What a feed of this kind may say, with its defaults. */
export { TELEMEDICINE_LIMITS, telemedicineOptions } from './options.ts'
export type { TelemedicineOptions } from './options.ts'
/** One item of a request that was not taken. */
export type { ItemFault } from './envelope.ts'
/** The description of the API, as served at /openapi.json. */
export { describeApi } from './openapi.ts'
