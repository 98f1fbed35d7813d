import { UcumLhcUtils } from '@lhncbc/ucum-lhc'
import { CONCEPTS, type Concept, type ConceptId } from './concepts.ts'

/** What feeds write, and the UCUM code it means. Compared without regard to case after the exact spelling. */
export const UNIT_ALIASES: Readonly<Record<string, string>> = {
  mmHg: 'mm[Hg]', MDC_DIM_MMHG: 'mm[Hg]', 266016: 'mm[Hg]', bpm: '/min', 'beats/min': '/min', '{beats}/min': '/min', 'breaths/min': '/min', '{breaths}/min': '/min', 'insp/min': '/min', '1/min': '/min',
  MDC_DIM_BEAT_PER_MIN: '/min', MDC_DIM_RESP_PER_MIN: '/min', 264864: '/min', 264928: '/min', pct: '%', percent: '%', MDC_DIM_PERCENT: '%', 262688: '%',
  C: 'Cel', degC: 'Cel', '°C': 'Cel', celsius: 'Cel', MDC_DIM_DEGC: 'Cel', 268192: 'Cel', F: '[degF]', degF: '[degF]', '°F': '[degF]', fahrenheit: '[degF]',
  'K/uL': '10*3/uL', 'K/µL': '10*3/uL', 'K/mcL': '10*3/uL', 'THOU/uL': '10*3/uL', 'x10E3/uL': '10*3/uL', '10^3/uL': '10*3/uL', '10E3/uL': '10*3/uL', '10*9/L': '10*9/L', '10^9/L': '10*9/L', 'x10^9/L': '10*9/L', 'G/L': '10*9/L',
  'mEq/L': 'mmol/L', 'meq/L': 'mmol/L', 'µmol/L': 'umol/L', 'μmol/L': 'umol/L', 'mcmol/L': 'umol/L', 'µg/L': 'ug/L', 'mcg/L': 'ug/L', 'IU/L': 'U/L', 'units/L': 'U/L', 'lpm': 'L/min', 'l/min': 'L/min', 'Liters/min': 'L/min',
  sec: 's', seconds: 's', units: '[pH]', pH: '[pH]', '{score}': '1', score: '1', cc: 'mL', fraction: '1',
}
const byExact: ReadonlyMap<string, string> = new Map(Object.entries(UNIT_ALIASES))
const byLowerCase: ReadonlyMap<string, string> = new Map(Object.entries(UNIT_ALIASES).map(([alias, unit]) => [alias.toLowerCase(), unit]))

/** value in the canonical unit = value * factor + offset. */
interface Affine { readonly factor: number, readonly offset: number }
const conversions = new Map<string, Affine | null>()
const CONVERSIONS_MAX = 4096
/** Longer than any unit that means something. */
const UNIT_CHARACTERS_MAX = 40

/**
 * Converts `value` in a feed's `unit` to the concept's canonical unit. An empty unit means: already canonical.
 * undefined: the unit is unknown, or cannot be this concept's.
 */
export function toCanonical (concept: ConceptId, value: number, unit: string): number | undefined {
  const canonical = CONCEPTS[concept].unit
  if (unit === '' || unit === canonical) return value
  const key = `${concept}|${unit}`
  let conversion = conversions.get(key)
  if (conversion === undefined) {
    conversion = plan(concept, unit.replaceAll(/\s+/g, '')) // UCUM has no blanks; feeds write "mm Hg"
    if (conversions.size < CONVERSIONS_MAX) conversions.set(key, conversion)
  }
  return conversion === null ? undefined : value * conversion.factor + conversion.offset
}

/** Every conversion between two UCUM units that we use is affine: two points say it all. */
function plan (concept: ConceptId, unit: string): Affine | null {
  const { unit: canonical, molarMass }: Concept = CONCEPTS[concept]
  if (unit.length > UNIT_CHARACTERS_MAX) return null
  if (unit === '' || unit === canonical) return { factor: 1, offset: 0 }
  // An exact alias wins; then the unit as UCUM, so that g/L (grams) is not read as the alias G/L (10*9/L); then any case.
  const aliases = [byExact.get(unit), byLowerCase.get(unit.toLowerCase())]
  if (aliases.includes(canonical)) return { factor: 1, offset: 0 }
  if (concept === 'fio2' && (unit === '1' || aliases.includes('1'))) return { factor: 100, offset: 0 }
  const candidates = aliases[0] === undefined ? [unit, aliases[1], unit.toLowerCase()] : [aliases[0], unit.toLowerCase()]
  for (const candidate of candidates) {
    if (candidate === undefined) continue
    const zero = convert(candidate, 0, canonical, molarMass)
    const one = convert(candidate, 1, canonical, molarMass)
    if (zero !== undefined && one !== undefined) return { factor: one - zero, offset: zero }
  }
  return null
}

function convert (from: string, value: number, to: string, molarMass: number | undefined): number | undefined {
  const answer = quietly(() => UcumLhcUtils.getInstance().convertUnitTo(from, value, to, molarMass === undefined ? {} : { molecularWeight: molarMass }))
  return answer?.status === 'succeeded' && typeof answer.toVal === 'number' && Number.isFinite(answer.toVal) ? answer.toVal : undefined
}

/** The library prints units that it cannot parse, and throws on some (`constructor`). Whatever a feed put there does not belong on the console. */
function quietly<T> (run: () => T): T | undefined {
  const { log } = console
  console.log = () => {}
  try {
    return run()
  } catch {
    return undefined // to the caller it is a unit that nobody knows
  } finally {
    console.log = log
  }
}
