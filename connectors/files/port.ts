import type { RefusalCause, BedsideEvent } from '../../streams/events/index.ts'
import type { ArrivalTimeMs } from '../../streams/time/index.ts'
import type { RefusedInput } from '../kit/port.ts'

/** One message of the past, with the time at which the hospital's systems had it. */
export interface HistoricalMessage {
  /** As the file names the patient; the kit turns it into a pseudonym. */
  readonly patientId: string
  readonly arrival: ArrivalTimeMs
  readonly event: BedsideEvent
}

/**
 * A data file as a stream of messages, in order of arrival over all patients. Everything was read and checked when it was opened:
 * a damaged file is refused before the first message. Each iteration starts at the beginning; one at a time.
 */
export interface HistoricalSource extends AsyncIterable<HistoricalMessage> {
  /** `file:physionet2019`, `file:mimic3`. */
  readonly name: string
  /** Size of the files on disk. */
  readonly totalBytes: number
  readonly messages: number
  readonly patients: number
  /** Share of the messages that the present iteration has handed over, 0 to 1. */
  progress (): number
  /** Rows and values that became no observation, by cause. */
  readonly refused: ReadonlyMap<RefusalCause, number>
  /** What else was met and is no fault of a row, by name: see each reader. */
  readonly notes: ReadonlyMap<string, number>
}

export interface ReadOptions {
  /** Called while the file is opened, for each refused row or value. Unknown codes are only counted. */
  readonly onRefused?: (refused: RefusedInput) => void
  /** Called while the file is opened: bytes read from disk, of how many. */
  readonly onRead?: (bytes: number, totalBytes: number) => void
  /** Which patients to replay; called once for each. Without it: all. */
  readonly accept?: (patientId: string) => boolean
}
