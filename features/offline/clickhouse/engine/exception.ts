/** An error as ClickHouse's HTTP interface sends one. */
export interface EngineException { readonly code: number, readonly status: number, readonly message: string }

/** As HTTPHandler.cpp of ClickHouse maps them; the rest is 500. */
const STATUS: Readonly<Record<number, number>> = {
  26: 400, 27: 400, 33: 400, 36: 400, 38: 400, 41: 400, 43: 400, 44: 400, 46: 404, 47: 404, 53: 400, 57: 400, 60: 404, 61: 404, 62: 400, 70: 400, 72: 400, 81: 404, 82: 400, 115: 404, 117: 400,
  159: 408, 160: 408, 164: 403, 193: 401, 194: 401, 202: 503, 241: 500, 456: 400, 457: 400, 497: 403, 516: 403,
}

export function exceptionOf (e: unknown): EngineException {
  const text = (e instanceof Error ? e.message : String(e)).replace(/^Query failed: /, '')
  const code = Number(/Code: (\d+)/.exec(text)?.[1] ?? 1001)
  return engineException(code, text.startsWith('Code:') ? text : `Code: ${code}. DB::Exception: ${text} (STD_EXCEPTION)`)
}

export function engineException (code: number, message: string): EngineException {
  return { code, status: STATUS[code] ?? 500, message }
}
