import { createHash } from 'node:crypto'
import type { KeptTable } from '../kit/index.ts'
import type { StudyTags } from './study.ts'

/** What was said of a study. A deletion leaves no tags behind, so what was read is kept to withdraw it. */
export interface KnownStudy {
  /** `lost`: not in the archive since that was exchanged for another; nobody deleted it. */
  readonly state: 'here' | 'gone' | 'lost' | 'anonymised'
  /** Of the last saying that the log has; 0 before the first. */
  readonly version: number
  /** Hash of its tags; empty before the first, and where it is gone. */
  readonly content: string
  readonly at: number
  readonly tags?: StudyTags | undefined
  /** What is being said: kept before it is yielded, so that after a crash it is said once more, alike, before anything else is. */
  readonly saying?: Saying | undefined
}

export interface Saying { readonly version: number, readonly gone: boolean, readonly tags: StudyTags }

export function whenSaid ({ version, gone, tags }: Saying, at: number): KnownStudy { return { state: gone ? 'gone' : 'here', version, content: gone ? '' : contentOf(tags), at, tags } }

/** The studies of one archive, by Orthanc's identity. About 1 KB each, in memory and sealed on disk. */
export class KnownStudies {
  readonly #table: KeptTable<KnownStudy>
  readonly #rows: Map<string, KnownStudy>

  constructor (table: KeptTable<KnownStudy>) {
    this.#table = table
    this.#rows = new Map(table.load())
  }

  get (id: string): KnownStudy | undefined { return this.#rows.get(id) }
  all (): readonly (readonly [string, KnownStudy])[] { return [...this.#rows] }

  /** Resolves when it is on disk; undefined forgets it. */
  async save (id: string, row: KnownStudy | undefined): Promise<void> {
    if (row === undefined) this.#rows.delete(id)
    else this.#rows.set(id, row)
    await this.#table.save(id, row)
  }
}

export function contentOf (tags: StudyTags): string { return createHash('sha256').update(JSON.stringify(tags)).digest('hex') }
