import { KAFKA_ERRORS } from './error-table.ts'

export type KafkaErrorName = (typeof KAFKA_ERRORS)[number][1]

interface Known { readonly name: KafkaErrorName, readonly retriable: boolean }
const BY_CODE: ReadonlyMap<number, Known> = new Map(KAFKA_ERRORS.map(([code, name, retriable]) => [code, { name, retriable }]))

/** Name to number: `ERROR_CODE.NOT_COORDINATOR`. */
export const ERROR_CODE: Readonly<Record<KafkaErrorName, number>> = Object.fromEntries(KAFKA_ERRORS.map(([code, name]) => [name, code])) as Record<KafkaErrorName, number>

/** A broker answered a call with an error. `retriable`: may pass by itself, as Kafka's own client sees it. */
export class KafkaError extends Error {
  readonly code: number
  /** `UNKNOWN_SERVER_ERROR` for a number that is newer than our table. */
  readonly errorName: KafkaErrorName
  readonly retriable: boolean
  /** The call that was answered so, such as `FindCoordinator`. */
  readonly call: string

  constructor (code: number, call: string, detail?: string | null) {
    const known = BY_CODE.get(code)
    super(`${call}: ${known?.name ?? 'an unknown error'} (${code})${detail === undefined || detail === null || detail === '' ? '' : `, ${detail}`}`)
    this.name = 'KafkaError'
    this.code = code
    this.errorName = known?.name ?? 'UNKNOWN_SERVER_ERROR'
    this.retriable = known?.retriable ?? false
    this.call = call
  }
}

/** The answer can no longer come: the connection ended, or waited too long. Whether the broker did what was asked is not known. */
export class ConnectionLost extends Error {
  /** The request never left: it is safe to send it again. */
  readonly unsent: boolean

  constructor (message: string, unsent: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'ConnectionLost'
    this.unsent = unsent
  }
}

export function isKafkaError (e: unknown): e is KafkaError { return e instanceof KafkaError }
export function isConnectionLost (e: unknown): e is ConnectionLost { return e instanceof ConnectionLost }

/** Throws unless `code` is 0. */
export function throwIfError (code: number, call: string, detail?: string | null): void {
  if (code !== 0) throw new KafkaError(code, call, detail)
}
