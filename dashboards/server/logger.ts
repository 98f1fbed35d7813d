/** What the server logs through; a pino logger fits. */
export interface DashboardLogger {
  info (fields: Readonly<Record<string, unknown>>, message: string): void
  warn (fields: Readonly<Record<string, unknown>>, message: string): void
}

export const silentLogger: DashboardLogger = { info: () => {}, warn: () => {} }
