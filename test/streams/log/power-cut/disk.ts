import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { SeededRandom } from '../../../kit/random.ts'
import type { Asked } from './recording.ts'

const SECTOR = 512
const PAGE_SECTORS = 8
/** `kill`: the machine goes on, so all that was written is there. The others: the power went; of what was not synced the disk has nothing, some writes, some pages, or some sectors. */
export const ENDS = ['kill', 'nothing', 'writes', 'pages', 'sectors'] as const
export type End = (typeof ENDS)[number]
/** A sync that this disk forgets, as if it had not been asked for: what a lack of it would do must be found. */
export type Forgets = 'nothing' | 'fdatasync' | 'writesThrough'

interface Version { readonly write: number, readonly bytes: Buffer }
/** First of each list: what is on the disk for certain. Then what was written since, oldest first. */
interface OneFile {
  /** Whether its name is on the disk. */
  certain: boolean
  /** The names it had before, oldest first, while the newest is not on the disk for certain. */
  before: readonly { readonly path: string, readonly certain: boolean }[]
  /** Unlinked, which the disk may not know yet. */
  gone: boolean
  readonly sectors: Map<number, Version[]>
  sizes: { readonly write: number, readonly size: number }[]
}

/**
 * A disk with a write cache, as POSIX promises it: what was not synced may be there or not, each sector for itself, in any order; what was is there. A file's name
 * is there when its directory was synced. A sector is written whole or not at all.
 */
export class Disk {
  readonly #forgets: Forgets
  readonly #files = new Map<string, OneFile>()
  /** Of files that were unlinked, where the disk may still have them. */
  readonly #gone = new Map<OneFile, string>()
  readonly #open = new Map<number, { readonly path: string, readonly writesThrough: boolean }>()
  readonly #running = new Map<number, Asked>()
  readonly #ended = new Set<number>()
  /** Which writes a sync that runs will have brought to the disk. */
  readonly #covers = new Map<number, ReadonlySet<number>>()
  readonly #unsynced = new Map<string, Set<number>>()

  constructor (forgets: Forgets = 'nothing') { this.#forgets = forgets }

  apply (asked: Asked): void {
    switch (asked.kind) {
      case 'opened':
        this.#open.set(asked.file, { path: asked.path, writesThrough: asked.writesThrough })
        if (asked.made && !this.#files.has(asked.path)) this.#files.set(asked.path, { certain: false, before: [], gone: false, sectors: new Map(), sizes: [{ write: -1, size: 0 }] })
        return
      case 'write': this.#running.set(asked.id, asked); this.#write(asked.file, asked.id, asked.at, asked.bytes); return
      case 'renamed': this.#rename(asked.from, asked.path); return
      case 'unlinked': this.#unlink(asked.path); return
      case 'truncated': throw new Error('nothing is cut, so far')
      case 'sync':
        this.#running.set(asked.id, asked)
        this.#covers.set(asked.id, new Set([...this.#unsynced.get(this.#path(asked.file)) ?? []].filter(id => this.#ended.has(id))))
        return
      case 'ended': this.#end(asked.id, asked.result)
    }
  }

  /** What stands below `to` after the power came back. */
  image (to: string, end: End, random: SeededRandom): void {
    for (const [named, file] of [...[...this.#gone].map(([one, path]) => [path, one] as const), ...this.#files]) {
      const path = nameAfter(named, file, end, random)
      if (path === undefined) continue
      const chosen = new Map<number, boolean>()
      const has = (write: number): boolean => { if (!chosen.has(write)) chosen.set(write, random.chance(0.5)); return chosen.get(write)! }
      const newest = <T extends { readonly write: number }>(versions: readonly T[]): T => end === 'kill' ? versions.at(-1)! : end === 'nothing' ? versions[0]! : end === 'writes' ? versions.findLast(v => v.write < 0 || has(v.write)) ?? versions[0]! : versions[random.below(versions.length)]!
      const { size } = newest(file.sizes)
      const bytes = Buffer.alloc(Math.ceil(size / SECTOR) * SECTOR)
      const pages = new Map<number, number>()
      for (const [sector, versions] of file.sectors) {
        if ((sector + 1) * SECTOR > bytes.length) continue
        const page = Math.floor(sector / PAGE_SECTORS)
        if (end === 'pages' && !pages.has(page)) pages.set(page, random.next())
        const version = end === 'pages' ? versions[Math.floor(pages.get(page)! * versions.length)]! : newest(versions)
        version.bytes.copy(bytes, sector * SECTOR)
      }
      mkdirSync(dirname(join(to, path)), { recursive: true })
      writeFileSync(join(to, path), bytes.subarray(0, size))
    }
  }

  #rename (from: string, path: string): void {
    const file = this.#files.get(from)!
    if (this.#files.has(path)) throw new Error('nothing is replaced, so far')
    this.#files.delete(from)
    this.#files.set(path, file)
    file.before = [...file.before, { path: from, certain: file.certain }]
    file.certain = false
    for (const [descriptor, open] of this.#open) if (open.path === from) this.#open.set(descriptor, { ...open, path })
    this.#unsynced.set(path, this.#unsynced.get(from) ?? new Set())
    this.#unsynced.delete(from)
  }

  #unlink (path: string): void {
    const file = this.#files.get(path)!
    this.#files.delete(path)
    file.gone = true
    this.#gone.set(file, path)
  }

  #path (file: number): string { return this.#open.get(file)!.path }

  #write (file: number, id: number, at: number, bytes: Buffer): void {
    const path = this.#path(file)
    const of = this.#files.get(path)!
    for (let sector = Math.floor(at / SECTOR); sector * SECTOR < at + bytes.length; sector++) {
      const versions = of.sectors.get(sector) ?? [{ write: -1, bytes: Buffer.alloc(SECTOR) }]
      const next = Buffer.from(versions.at(-1)!.bytes)
      const from = Math.max(at, sector * SECTOR)
      bytes.copy(next, from - sector * SECTOR, from - at, Math.min(bytes.length, (sector + 1) * SECTOR - at))
      of.sectors.set(sector, [...versions, { write: id, bytes: next }])
    }
    if (at + bytes.length > of.sizes.at(-1)!.size) of.sizes.push({ write: id, size: at + bytes.length })
    this.#unsynced.set(path, (this.#unsynced.get(path) ?? new Set()).add(id))
  }

  #end (id: number, result: number): void {
    const asked = this.#running.get(id)!
    this.#running.delete(id)
    if (asked.kind === 'write') {
      if (result !== asked.bytes.length) throw new Error('a write that was not whole')
      this.#ended.add(id)
      if (this.#open.get(asked.file)?.writesThrough === true && this.#forgets !== 'writesThrough') this.#certain(this.#path(asked.file), new Set([id]))
    } else if (asked.kind === 'sync' && result === 0 && this.#forgets !== 'fdatasync') {
      const path = this.#path(asked.file)
      if (this.#files.has(path)) this.#certain(path, this.#covers.get(id)!)
      else {
        for (const [name, file] of this.#files) if (dirname(name) === path || path === '') Object.assign(file, { certain: true, before: [] })
        for (const [file, name] of this.#gone) if (dirname(name) === path) this.#gone.delete(file)
      }
    }
  }

  /** These writes are on the disk, and with each what was written to the same sector before it. */
  #certain (path: string, writes: ReadonlySet<number>): void {
    const of = this.#files.get(path)!
    for (const [sector, versions] of of.sectors) {
      const last = versions.findLastIndex(({ write }) => writes.has(write))
      if (last > 0) of.sectors.set(sector, [{ ...versions[last]!, write: -1 }, ...versions.slice(last + 1)])
    }
    const last = of.sizes.findLastIndex(({ write }) => writes.has(write))
    if (last > 0) of.sizes = [{ ...of.sizes[last]!, write: -1 }, ...of.sizes.slice(last + 1)]
    for (const id of writes) { this.#unsynced.get(path)?.delete(id); this.#ended.delete(id) }
  }
}

/** By which name the disk has a file after the end, if it has it: the names it had come one after the other, and a rename that is not on the disk may have been or not. */
function nameAfter (named: string, file: OneFile, end: End, random: SeededRandom): string | undefined {
  if (end === 'kill') return file.gone ? undefined : named
  const has = (certain: boolean): boolean => certain || end !== 'nothing' && random.chance(0.5)
  if (file.gone) return has(file.certain) && (end === 'nothing' || random.chance(0.5)) ? named : undefined
  if (has(file.certain)) return named
  return file.before.findLast(({ certain }) => has(certain))?.path
}
