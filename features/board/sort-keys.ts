import { concernOf } from './concern.ts'
import type { BoardEntity, BoardQuery, BoardSort } from './port.ts'
import { ascii, fold } from './text.ts'

/** Each order as one text a patient: ascending, both in memory and as a sortable field of Redis, it is the whole order, ties included. */
export const SORT_KEYS = ['place', 'concernUp', 'concernDown', 'news2Up', 'news2Down', 'riskUp', 'riskDown', 'updatedUp', 'updatedDown'] as const
export type SortKey = (typeof SORT_KEYS)[number]
export type SortKeys = Readonly<Record<SortKey, string>>

const DIGITS = 8

export function sortKeysOf (entity: BoardEntity): SortKeys {
  const place = `${placeKey(entity.ward)} ${placeKey(entity.bed)} ${ascii(entity.patient)}`
  const numbers: Readonly<Record<Exclude<BoardSort, 'place'>, number | null>> = { concern: concernOf(entity), news2: entity.news2, risk: entity.risk, updated: entity.updatedAt }
  const keys: Record<string, string> = { place }
  for (const [name, value] of Object.entries(numbers)) {
    const known = value === null || Number.isNaN(value) ? undefined : numberKey(value)
    keys[`${name}Up`] = `${known ?? LAST} ${place}`
    keys[`${name}Down`] = `${known === undefined ? LAST : complement(known)} ${place}`
  }
  return keys as SortKeys
}

/** Which key a query goes by, and whether from its end: place alone is simply turned round. */
export function orderOf ({ sort, descending }: Pick<BoardQuery, 'sort' | 'descending'>): { readonly key: SortKey, readonly reversed: boolean } {
  return sort === 'place' ? { key: 'place', reversed: descending } : { key: `${sort}${descending ? 'Down' : 'Up'}`, reversed: false }
}

/** Risks are compared with a limit in millionths: whole numbers are the same to everybody who reads them. */
export function millionths (risk: number): number { return Math.round(risk * 1e6) }

/** Above every hexadecimal digit: what is not known stands last. */
const LAST = 'z'

/** Numbers within a name count as numbers: bed 2 before bed 10. Spaces within are above the space that ends the name. */
function placeKey (name: string): string {
  return ascii(fold(name).replace(/\d+/g, digits => digits.replace(/^0+(?=\d)/, '').padStart(DIGITS, '0')))
}

/** IEEE 754 in hexadecimal, turned so that the order of texts is the order of numbers. */
function numberKey (value: number): string {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeDoubleBE(value + 0)
  if ((bytes[0]! & 0x80) === 0) bytes[0]! |= 0x80
  else for (let i = 0; i < 8; i++) bytes[i]! ^= 0xff
  return bytes.toString('hex')
}

function complement (hex: string): string {
  const bytes = Buffer.from(hex, 'hex')
  for (let i = 0; i < 8; i++) bytes[i]! ^= 0xff
  return bytes.toString('hex')
}
