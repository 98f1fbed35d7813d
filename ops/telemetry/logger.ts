import pino from 'pino'

/** Structured logs for operators: each change of state, none per event, nothing that identifies a person. */
export interface Logger {
  debug (details: object, message: string): void
  info (details: object, message: string): void
  warn (details: object, message: string): void
  error (details: object, message: string): void
}

/** JSON lines to a file of the data directory; standard output belongs to the person who types. */
export function fileLogger (file: string, level: string): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: file, mkdir: true, sync: true }))
}
