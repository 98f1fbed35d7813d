/** HL7 v2 over MLLP: the listener, and a sender for files of messages. */
export { hl7Connector } from './kind.ts'
export type { Hl7FeedOptions } from './kind.ts'
export { startHl7 } from './server.ts'
export type { Hl7Options } from './server.ts'
export { sendHl7 } from './client.ts'
export type { SendOptions, SendResult } from './client.ts'
/** Alerts and scores as HL7 v2, to one receiver. */
export { hl7Sender, hl7SenderSchema } from './outbound/index.ts'
export type { Hl7Code, Hl7SenderOptions, Hl7SenderParts } from './outbound/index.ts'
/** One connection to a receiver: a message, its answer, the next. */
export { codeOf, Line } from './line.ts'
export type { LineOptions } from './line.ts'
/** Reads the secrets of what options say of TLS. */
export { withSecrets } from './tls.ts'
export type { Hl7ClientTls, Hl7ServerTls, TlsSecret } from './tls.ts'
/** How a message becomes events, and what a feed may say of its sender. */
export { hl7Mapper } from './mapper.ts'
export type { Hl7MapperOptions } from './mapper.ts'
export type { Hl7Fault } from './outcome.ts'
/** Messages of a JSONL or text file. */
export { readHl7File } from './file.ts'
/** Limits and the time policy, with their defaults. */
export { HL7_LIMITS } from './limits.ts'
export type { Hl7Limits } from './limits.ts'
/** Framing and time, for senders such as the simulator. */
export { frame, Framer } from './framer.ts'
export type { Framed, FramerNotice, FramerOptions } from './framer.ts'
export { formatTime } from './time.ts'
/** Readings of values that come in other formats too: answers that are words, numbers with a comparator, vital signs, ages. */
export { isVital } from './code.ts'
/** The results that a refused message speaks of, as its corrections will name them. */
export { resultNamesIn } from './result-names.ts'
export { isCoded, parseAnswer } from './coded.ts'
export { parseNumeric } from './numeric.ts'
export { ageAt } from './patient.ts'
