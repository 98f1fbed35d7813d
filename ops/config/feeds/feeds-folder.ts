import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { FeedMapping } from '../../../connectors/kit/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import { replaceFile as replaceWhole } from '../../../streams/files/index.ts'
import type { AnyKind } from './any-kind.ts'
import { readCodes } from './codes-file.ts'
import type { FeedFault } from './fault.ts'
import { portFaults } from './ports.ts'
import { readFeedFile, type FeedDefaults, type FeedFile } from './feed-file.ts'

/** What stands beside connectors of a user's own, and is no feed. */
const OF_CONNECTORS: readonly string[] = ['package.json', 'package-lock.json', 'tsconfig.json']

/** A feed as its files say. */
export interface LoadedFeed extends Omit<FeedFile, 'mapping'> {
  readonly name: string
  readonly mapping: FeedMapping
}

export interface LoadedFeeds {
  readonly feeds: readonly LoadedFeed[]
  /** Of all files, in order of name and line; a feed with faults is not among `feeds`. */
  readonly faults: readonly FeedFault[]
}

/** A feed's name stands in dead letters, counters and addresses. */
export const FEED_NAME: RegExp = /^[a-z][a-z0-9-]{0,31}$/
const FILE_BYTES_MAX = 8 * 2 ** 20
const FEEDS_MAX = 200

/** Reads every feed of a folder. Throws FILE_UNREADABLE where the folder cannot be read; what is wrong in files is told as faults. */
export function readFeeds (folder: string, kinds: readonly AnyKind[], defaults: FeedDefaults): LoadedFeeds {
  const files = filesIn(folder)
  const names = files.filter(file => file.endsWith('.json')).map(file => file.slice(0, -'.json'.length))
  const feeds: LoadedFeed[] = []
  const faults: FeedFault[] = files.filter(file => file.endsWith('.codes.csv') && !names.includes(file.slice(0, -'.codes.csv'.length))).map(file => ({ file, line: 1, why: `there is no feed ${file.replace('.codes.csv', '.json')}` }))
  if (names.length > FEEDS_MAX) return { feeds, faults: [{ file: names[FEEDS_MAX]!, line: 1, why: `more than ${FEEDS_MAX} feeds` }] }
  for (const name of names) {
    const read = readFeed(folder, name, kinds, defaults)
    if (read.kind === 'ok') feeds.push(read.feed); else faults.push(...read.faults)
  }
  const ports = portFaults(feeds, { host: defaults.host, port: defaults.httpPort })
  return { feeds: feeds.filter(({ name }) => !ports.some(({ file }) => file === `${name}.json`)), faults: [...faults, ...ports] }
}

export type FeedRead = { readonly kind: 'ok', readonly feed: LoadedFeed } | { readonly kind: 'invalid', readonly faults: readonly FeedFault[] }

/** Reads one feed's two files. Throws FILE_UNREADABLE. */
export function readFeed (folder: string, name: string, kinds: readonly AnyKind[], defaults: FeedDefaults): FeedRead {
  const file = `${name}.json`
  if (!FEED_NAME.test(name)) return { kind: 'invalid', faults: [{ file, line: 1, why: 'a feed\'s name has small letters, digits and "-", begins with a letter, and has at most 32 characters' }] }
  const read = readFeedFile(file, textOf(folder, file) ?? '', kinds, defaults)
  const codes = readCodesOf(folder, name, read.kind === 'ok' ? read.file.mapping.units : new Map())
  const faults = [...read.kind === 'ok' ? [] : read.faults, ...codes.faults]
  if (read.kind === 'invalid' || faults.length > 0) return { kind: 'invalid', faults }
  return { kind: 'ok', feed: { ...read.file, name, mapping: { ...read.file.mapping, codes: codes.codes } } }
}

/** The table of codes alone; a feed without one maps nothing beside the standard codes. */
export function readCodesOf (folder: string, name: string, units: ReadonlyMap<string, string>): ReturnType<typeof readCodes> {
  const file = codesFileOf(name)
  const text = textOf(folder, file)
  return text === undefined ? { codes: new Map(), rows: [], faults: [] } : readCodes(file, text, units)
}

export function codesFileOf (name: string): string { return `${name}.codes.csv` }

/** undefined: there is no such file. Throws FILE_UNREADABLE, and FILE_INVALID for one that is too large. */
export function textOf (folder: string, file: string): string | undefined {
  try {
    if (statSync(join(folder, file)).size > FILE_BYTES_MAX) throw new LatidoError('FILE_INVALID', `${file} is larger than ${FILE_BYTES_MAX / 2 ** 20} MB`, 'check that it is the file that you meant')
    return readFileSync(join(folder, file), 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw cause instanceof LatidoError ? cause : unreadable(file, code)
  }
}

/** Whole or not at all, also after a power cut: a new file takes the old one's place. Throws FILE_UNREADABLE. */
export function replaceFile (folder: string, file: string, text: string): void {
  try {
    replaceWhole(join(folder, file), text, 0o644)
  } catch (cause) {
    throw new LatidoError('FILE_UNREADABLE', `${file} cannot be written (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`, 'let this user write into the folder of the feeds, or change the file there', cause)
  }
}

/** Size and time of each file of the feeds, as one text: another text, other files. */
export function stampOf (folder: string): string {
  return filesIn(folder).map(file => {
    const stat = statSync(join(folder, file), { throwIfNoEntry: false })
    return `${file} ${stat?.size} ${stat?.mtimeMs} ${stat?.ino}`
  }).join('\n')
}

function filesIn (folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter(file => !file.startsWith('.') && !OF_CONNECTORS.includes(file) && (file.endsWith('.json') || file.endsWith('.codes.csv'))).sort()
  } catch (cause) {
    throw unreadable('the folder of --feeds', (cause as NodeJS.ErrnoException).code, cause)
  }
}

function unreadable (what: string, code: string | undefined, cause?: unknown): LatidoError {
  return new LatidoError('FILE_UNREADABLE', `${what} cannot be read (${code ?? 'unknown'})`, 'check --feeds and the permissions of what is in it', cause)
}
