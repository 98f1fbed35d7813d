import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { filesIn, ROOT, type SourceFile } from '../house/source-files.ts'

export function document (path: string): SourceFile { return { path, text: readFileSync(join(ROOT, path), 'utf8') } }

/** Everything that is written for readers. */
export const DOCUMENTS: readonly SourceFile[] = [document('README.md'), document('CHANGELOG.md'), ...filesIn('docs', ['.md']), document('inference/training/README.md')]

/**
 * A fenced block. What follows the language says how it is tested: ```ts test is type-checked, ```ts run is also run, ```json test KIND and ```hl7 test KIND are read by the
 * connector, ```sh test is run, ```sh live is carried out against a running instance.
 * The blocks of a guide (```sh guide, ```ts guide FILE, ```text guide) are followed in order: guide.ts. Blocks without such a word are only read.
 */
export interface Snippet { readonly where: string, readonly language: string, readonly words: readonly string[], readonly code: string }

export function snippetsOf ({ path, text }: SourceFile): readonly Snippet[] {
  return [...text.matchAll(/^( *)```(\w+)([^\n]*)\n([\s\S]*?)^\1```$/gm)].map(match => {
    const [, indent = '', language = '', words = '', code = ''] = match
    const line = text.slice(0, match.index).split('\n').length
    return { where: `${path}:${line}`, language, words: words.trim().split(/\s+/).filter(word => word !== ''), code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), '') }
  })
}

export const SNIPPETS: readonly Snippet[] = DOCUMENTS.flatMap(snippetsOf)

/** The section below a heading, to the next heading of the same or a higher level. */
export function section (path: string, heading: string): string {
  const lines = document(path).text.split('\n')
  const start = lines.findIndex(line => line.replace(/^#+ /, '') === heading && line.startsWith('#'))
  if (start < 0) throw new Error(`${path} has no heading "${heading}"`)
  const level = /^#+/.exec(lines[start]!)![0].length
  const end = lines.findIndex((line, i) => i > start && new RegExp(`^#{1,${level}} `).test(line))
  return lines.slice(start + 1, end < 0 ? undefined : end).join('\n')
}

/** The cells of a Markdown table's rows, without its head. */
export function rowsOf (text: string): readonly (readonly string[])[] {
  const rows = text.split('\n').filter(line => /^\s*\|/.test(line)).map(line => line.trim().slice(1, -1).split(' |').map(cell => cell.trim()))
  const rule = rows.findIndex(cells => cells.every(cell => /^\|?-*$/.test(cell) || /^(-+\|)*-+$/.test(cell)))
  return rows.slice(rule + 1)
}

/** The word in code marks that a cell begins with. */
export function codeIn (cell: string | undefined): string { return /^`([^`]+)`/.exec(cell ?? '')?.[1] ?? '' }
