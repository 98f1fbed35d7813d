import type { Language } from './translate.ts'

const LOCALES: Readonly<Record<Language, string>> = { en: 'en-GB', es: 'es-ES' }
/** UCUM codes as people write them. */
const UNIT_TEXT: Readonly<Record<string, string>> = { 'mm[Hg]': 'mmHg', Cel: '°C', '10*3/uL': '×10³/µL', '[pH]': '', 1: '', '/min': '/min', '/min/h': '/min/h', umol: 'µmol' }
/** Decimals that a concept is read with at the bedside. */
const DECIMALS: Readonly<Record<string, number>> = { temperature: 1, lactate: 1, creatinine: 2, potassium: 1, hemoglobin: 1, ph: 2, bilirubinTotal: 1, magnesium: 1, troponinI: 2 }

export interface Format {
  number (value: number, decimals?: number): string
  /** At most `digits` significant digits, for values of unknown size. */
  significant (value: number, digits?: number): string
  /** A concept's value with the decimals that it is read with. */
  reading (concept: string, value: number): string
  percent (share: number, decimals?: number): string
  /** A risk: one decimal below 10 %, where thresholds lie; never 0 %, which nobody knows. */
  risk (probability: number): string
  /** `12 s`, `5 min`, `3 h`, `2 d` (SI symbols, the same in both languages): the largest whole unit. */
  age (ms: number): string
  time (ms: number): string
  timeWithSeconds (ms: number): string
  dayAndTime (ms: number): string
  date (ms: number): string
  unit (ucum: string): string
}

const SECOND_MS = 1_000, MINUTE_MS = 60_000, HOUR_MS = 3_600_000, DAY_MS = 86_400_000

export function formatter (language: Language): Format {
  const locale = LOCALES[language]
  const cache = new Map<string, Intl.NumberFormat>()
  const numbers = (options: Intl.NumberFormatOptions): Intl.NumberFormat => {
    const key = JSON.stringify(options)
    let format = cache.get(key)
    if (format === undefined) cache.set(key, format = new Intl.NumberFormat(locale, options))
    return format
  }
  const times = (options: Intl.DateTimeFormatOptions): ((ms: number) => string) => {
    const format = new Intl.DateTimeFormat(locale, options)
    return ms => format.format(ms)
  }
  const count = (value: number, symbol: string): string => `${numbers({ maximumFractionDigits: 0 }).format(Math.floor(value))}\u00a0${symbol}`
  const fixed = (value: number, decimals = 0): string => numbers({ minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(value)
  return {
    number: fixed,
    significant: (value, digits = 3) => numbers({ maximumSignificantDigits: Math.max(digits, Math.trunc(Math.log10(Math.abs(value) || 1)) + 1) }).format(value),
    reading: (concept, value) => fixed(value, DECIMALS[concept] ?? 0),
    risk: probability => {
      const digits = probability < 0.1 ? 1 : 0
      const shown = numbers({ style: 'percent', minimumFractionDigits: digits, maximumFractionDigits: digits })
      return probability < 0.001 ? `<${shown.format(0.001)}` : shown.format(probability)
    },
    percent: (share, decimals = 0) => numbers({ style: 'percent', minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(share),
    age: ms => {
      const past = Math.max(0, ms)
      if (past < MINUTE_MS) return count(past / SECOND_MS, 's')
      if (past < 2 * HOUR_MS) return count(past / MINUTE_MS, 'min')
      return past < 2 * DAY_MS ? count(past / HOUR_MS, 'h') : count(past / DAY_MS, 'd')
    },
    time: times({ hour: '2-digit', minute: '2-digit' }),
    timeWithSeconds: times({ hour: '2-digit', minute: '2-digit', second: '2-digit' }),
    dayAndTime: times({ day: '2-digit', month: 'short', hour: '2-digit', minute: '2-digit' }),
    date: times({ day: '2-digit', month: 'short', year: 'numeric', timeZone: 'UTC' }),
    unit: ucum => UNIT_TEXT[ucum] ?? ucum.replace(/\{[^}]*\}/g, '').replaceAll('mm[Hg]', 'mmHg').replaceAll('Cel', '°C'),
  }
}
