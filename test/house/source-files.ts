import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository, whatever the directory that the tests are started from. */
export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url))

export interface SourceFile {
  /** From the root, with slashes: `streams/time/clock.ts`. */
  readonly path: string
  readonly text: string
}

const PASSED_OVER: ReadonlySet<string> = new Set(['node_modules', 'dist', 'coverage', '__pycache__'])

/** Every file below `folder` with one of the endings. Hidden folders and what is built or installed are passed over. */
export function filesIn (folder: string, endings: readonly string[]): readonly SourceFile[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).sort((a, b) => a.name < b.name ? -1 : 1).flatMap(entry => {
    const path = posix.join(folder, entry.name)
    if (entry.isDirectory()) return PASSED_OVER.has(entry.name) || entry.name.startsWith('.') ? [] : filesIn(path, endings)
    return endings.some(ending => entry.name.endsWith(ending)) ? [{ path, text: readFileSync(join(ROOT, path), 'utf8') }] : []
  })
}

/** A string, a template, a regular expression or a comment, whichever begins first. */
const TOKEN = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|(?<=[=(,:;!&|?{}[\n>]\s*|return )\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/g

/** The code alone: comments are gone, and what stands in quotes is emptied. */
export function codeOf ({ text }: SourceFile): string {
  return text.replace(TOKEN, token => token.startsWith('//') || token.startsWith('/*') ? '' : token.startsWith('/') ? '/./' : "''")
}

export interface Import {
  readonly from: string
  /** From the root. */
  readonly to: string
  readonly typeOnly: boolean
}

const IMPORT = /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?['"](\.[^'"]+)['"]|\bimport\(\s*['"](\.[^'"]+)['"]\s*\)|new URL\(\s*['"](\.[^'"]+\.[cm]?ts)['"]/g

/** The relative imports of a file: static, dynamic, and workers by URL. */
export function importsOf ({ path, text }: SourceFile): readonly Import[] {
  return [...text.matchAll(IMPORT)].map(([, type, plain, dynamic, url]) => ({ from: path, to: posix.normalize(posix.join(dirname(path), (plain ?? dynamic ?? url)!)), typeOnly: type !== undefined }))
}
