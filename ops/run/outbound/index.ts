/** What goes out: alerts and scores to receivers, and cards. */
/** Cards for an EHR. */
export { openCdsHooks } from './cds-hooks.ts'
/** To a FHIR server. */
export { openFhirWriteBack } from './fhir-write-back.ts'
/** To an HL7 receiver. */
export { openHl7Outbound } from './hl7-outbound.ts'
