/** Every limit of the listener. */
export interface Hl7Limits {
  /** A larger frame is refused as `too-large`; 10 MB holds an embedded document. */
  readonly frameBytesMax: number
  /** Ten thousand take a quarter of a second. */
  readonly segmentsMax: number
  /** Fields, components, repetitions and subcomponents of a message. */
  readonly partsMax: number
  /** Messages of a batch in one frame. */
  readonly batchMessagesMax: number
  readonly connectionsMax: number
  /** A connection without a byte for so long is closed; monitors and laboratories keep theirs open between messages. */
  readonly idleMs: number
  /** An open frame must go on within this time of its last byte; so must a sender that does not read its answers. */
  readonly partialFrameMs: number
  /** Beyond `partialFrameMs` an open frame must have come at least this fast, else a sender could hold a connection with a byte a minute. */
  readonly frameBytesPerSecondMin: number
  /** Bytes outside frames that a connection may send without a frame between them. */
  readonly junkBytesMax: number
  /** A TLS handshake must be done by then. */
  readonly handshakeMs: number
  /** At close, what was received is answered within this time. */
  readonly drainMs: number
  /** Answers remembered for retransmissions. */
  readonly answersMax: number
}

export const HL7_LIMITS: Hl7Limits = {
  frameBytesMax: 10 * 1024 * 1024, segmentsMax: 10_000, partsMax: 1_000_000, batchMessagesMax: 10_000, connectionsMax: 64, idleMs: 3_600_000, partialFrameMs: 60_000,
  frameBytesPerSecondMin: 256, junkBytesMax: 1_048_576, handshakeMs: 10_000, drainMs: 5_000, answersMax: 1024,
}
