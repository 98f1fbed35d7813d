/** Alerts and scores as HL7 v2, to one receiver. */
export { hl7Sender } from './sender.ts'
export type { Hl7SenderParts } from './sender.ts'
export { hl7SenderSchema } from './options.ts'
export type { Hl7Addresses, Hl7Code, Hl7SenderOptions } from './options.ts'
