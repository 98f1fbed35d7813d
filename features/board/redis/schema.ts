import { createHash } from 'node:crypto'
import { Schema, type SchemaDefinition } from 'redis-om'
import type { BoardEntity } from '../port.ts'
import { millionths, SORT_KEYS, sortKeysOf } from '../sort-keys.ts'
import { asStemlessWord, asWord, beginningsOf, fold, wordsOf } from '../text.ts'

/** Raised when a field means something else under its old name. */
const MEANING = 1

/** A sort key is stored as it is (`normalized: false`), beside the index, and in no inverted list (`indexed: false`). */
const SORT_FIELD = { type: 'text', sortable: true, normalized: false, indexed: false, stemming: false } as const

const FIELDS: SchemaDefinition = {
  ward: { type: 'string' },
  bed: { type: 'string' },
  admitted: { type: 'boolean' },
  onBoard: { type: 'boolean' },
  news2: { type: 'number' },
  risk: { type: 'number' },
  alertState: { type: 'string' },
  words: { type: 'text', stemming: false },
  ...Object.fromEntries(SORT_KEYS.map(key => [key, SORT_FIELD])),
}

/** Other fields make another name: instances of two releases never share an index. */
export const SCHEMA_NAME: string = createHash('sha256').update(JSON.stringify([MEANING, FIELDS])).digest('hex').slice(0, 8)

/** Documents under `PREFIXboard:HASH:PATIENT`, the index `PREFIXboard:HASH:index`. */
export function boardSchema (prefix: string): Schema<Record<string, never>> {
  return new Schema(`${prefix}board:${SCHEMA_NAME}`, FIELDS, { dataStructure: 'JSON', useStopWords: 'OFF' })
}

/** Ward and bed are compared as one word; an empty one is a word too. */
export function placeWord (name: string): string { return `w${asWord(fold(name))}` }

/** A document: what is searched and sorted by, and the entity as it is handed out. */
export interface BoardDocument { readonly version: number, readonly entity: string }

/** The entity is a text within the document: RedisJSON reads some numbers a last digit off. */

export function documentOf (entity: BoardEntity, version: number): BoardDocument & Readonly<Record<string, unknown>> {
  const beginnings = new Set(wordsOf(entity.text).flatMap(beginningsOf))
  return {
    version, entity: JSON.stringify(entity),
    ward: placeWord(entity.ward), bed: placeWord(entity.bed), admitted: entity.admitted, onBoard: entity.onBoard,
    ...(entity.news2 === null ? {} : { news2: entity.news2 }), ...(entity.risk === null ? {} : { risk: millionths(entity.risk) }),
    alertState: entity.alertState, words: [...beginnings].map(asStemlessWord).join(' '), ...sortKeysOf(entity),
  }
}
