import type { Comparator } from '../../streams/events/index.ts'

export interface Numeric { readonly value: number, readonly comparator: Comparator }

const NUMBER = /^(<=|>=|<|>|=|≤|≥)?\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?)$/
/** `1,2`: a decimal comma with one or two digits. `1,234` may be a thousand or not, and stays unparsable. */
const DECIMAL_COMMA = /^([^,]*\d),(\d{1,2})$/
/** `1.2 H`: the abnormal flag of OBX-8, repeated in the value by some laboratories. */
const FLAG = /\s+(?:H|L|HH|LL|A|AA|N|\*)$/

/** How most are. */
const PLAIN = /^\d+(?:\.\d+)?$/

/** NM, or a number in ST, TX or FT, with its comparator apart: `<0.5`, `>100`, `1,2`, `1.2 H`. undefined: not a number. */
export function parseNumeric (text: string): Numeric | undefined {
  if (PLAIN.test(text)) return numeric('=', Number(text))
  const match = NUMBER.exec(text.trim().replace(FLAG, '').replace(DECIMAL_COMMA, '$1.$2'))
  if (match === null) return undefined
  return numeric(match[1] ?? '=', Number(match[2]))
}

/** SN: comparator, first number, separator, second number. Ratios and ranges (`1^:^128`) are no single number. A lone first component is read as NM. */
export function parseStructured (comparator: string, first: string, separator: string, second: string): Numeric | undefined {
  if (separator !== '' || second !== '') return undefined
  if (first === '') return parseNumeric(comparator)
  const number = parseNumeric(first)
  if (number === undefined || comparator === '') return number
  return number.comparator === '=' ? numeric(comparator, number.value) : undefined
}

function numeric (sign: string, value: number): Numeric | undefined {
  const comparator = sign === '≤' ? '<=' : sign === '≥' ? '>=' : sign
  if (!Number.isFinite(value)) return undefined
  return comparator === '=' || comparator === '<' || comparator === '<=' || comparator === '>' || comparator === '>=' ? { value, comparator } : undefined
}
