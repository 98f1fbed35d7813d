/** What goes out: alerts and scores to receivers, and cards. */
/** Cards for an EHR. */
export { openCdsHooks } from './cds-hooks.ts'
/** Those that send, to an HL7 receiver and to a FHIR server. */
export { openSenders, retryOf } from './senders.ts'
