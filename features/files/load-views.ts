import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { LatidoError } from '../../streams/errors/index.ts'
import { CONCEPT_IDS } from '../../streams/events/index.ts'
import { membersIn, viewKey, type FeatureView } from '../define/index.ts'
import { nearNames } from '../../streams/shapes/index.ts'
import { bundleViews } from './bundle.ts'
import { evaluateBundle, type Evaluated, type Made, type Place } from './evaluate.ts'
import { faultAt } from './fault.ts'

/** A view, and where it stands: the file as the user named the folder, and lines from 1. */
export interface LoadedView {
  readonly view: FeatureView
  readonly file: string
  readonly line: number | undefined
  lineOf (feature: string): number | undefined
}

/** How much a folder may hold, and how long one file may take to say what it exports. */
export interface LoadLimits { readonly filesMax: number, readonly evaluateMsMax: number }
export const LOAD_LIMITS: LoadLimits = { filesMax: 500, evaluateMsMax: 2_000 }

/**
 * Reads the views of a folder: each TypeScript file directly in it exports feature views and nothing else; what they share stands in folders below.
 * `standard` are views whose names are taken. Throws FILE_UNREADABLE where there is no such folder, VIEW_INVALID with file, line and mistake.
 */
export async function loadViews (folder: string, standard: readonly FeatureView[], limits: LoadLimits = LOAD_LIMITS): Promise<readonly LoadedView[]> {
  const root = folderAt(folder)
  const files = filesIn(root)
  const shown = (path: string): string => join(folder, path)
  if (files.length === 0) throw new LatidoError('VIEW_INVALID', `${folder} has no view files`, 'put TypeScript files that export feature views into it, or start with "latido features new DIR"')
  if (files.length > limits.filesMax) throw new LatidoError('VIEW_INVALID', `${folder} has ${files.length} view files`, `at most ${limits.filesMax} are read`)
  const sources = new Sources(root, folder)
  const loaded: LoadedView[] = []
  for (const bundle of await bundleViews(root, files, shown)) {
    for (const view of viewsOf(bundle.file, evaluateBundle(bundle, limits.evaluateMsMax), sources, limits)) loaded.push(view)
  }
  refuseTaken(loaded, standard)
  refuseUnreadable(loaded, standard)
  return loaded
}

function folderAt (folder: string): string {
  const stat = statSync(folder, { throwIfNoEntry: false })
  if (stat?.isDirectory() !== true) throw new LatidoError('FILE_UNREADABLE', `there is no folder ${folder}`, 'check --features; "latido features new DIR" makes one')
  return realpathSync(folder)
}

function filesIn (root: string): readonly string[] {
  return readdirSync(root, { withFileTypes: true }).filter(f => f.isFile() && /\.(ts|mts|js|mjs)$/.test(f.name) && !/^\.|\.d\.m?ts$|\.test\.\w+$|\.config\.\w+$/.test(f.name)).map(f => f.name).sort()
}

/** The user's files as text, for the lines of what is said about them. */
class Sources {
  readonly #root: string
  readonly #folder: string
  readonly #lines = new Map<string, readonly string[]>()
  constructor (root: string, folder: string) { this.#root = root; this.#folder = folder }

  shown (path: string): string { return join(this.#folder, relative(this.#root, path)) }
  file (name: string): string { return join(this.#root, name) }

  /** The first line from `from` on that matches. */
  find (path: string, pattern: RegExp, from: number = 1): number | undefined {
    let lines = this.#lines.get(path)
    if (lines === undefined) this.#lines.set(path, lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [])
    const at = lines.findIndex((line, i) => i >= from - 1 && pattern.test(line))
    return at < 0 ? undefined : at + 1
  }

  /** Where a feature is written: as a key from the view's call on, or in shorthand. */
  feature (at: Place | undefined, name: string): number | undefined {
    return at === undefined ? undefined : this.find(at.path, new RegExp(`(?:^|[\\s{,])['"]?${name}['"]?\\s*:`), at.line) ?? this.find(at.path, new RegExp(`(?:^|[\\s{,])${name}\\s*[,}]`), at.line)
  }
}

function viewsOf (file: string, evaluated: Evaluated, sources: Sources, { evaluateMsMax }: LoadLimits): readonly LoadedView[] {
  const path = sources.file(file)
  switch (evaluated.kind) {
    case 'timeout': throw faultAt(sources.shown(path), undefined, `it did not end within ${evaluateMsMax / 1_000} s of being imported`, 'a definition is data: look for a loop that does not end')
    case 'threw': throw thrown(path, evaluated, sources)
    case 'exports': {
      const { made } = evaluated
      const exported = Object.entries(evaluated.exports)
      if (exported.length === 0) throw faultAt(sources.shown(path), undefined, 'it exports nothing', 'export its feature views, or move what others share into a folder below')
      return exported.map(([name, value]) => loadedView(path, name, value, made, sources))
    }
  }
}

function loadedView (path: string, name: string, value: unknown, made: readonly Made[], sources: Sources): LoadedView {
  const one = made.find(m => m.view === value)
  if (one === undefined) throw faultAt(sources.shown(path), exportLine(path, name, sources), `export "${name}" is no feature view`, 'a view is what featureView of latido/features answers; move what views share into a folder below')
  const { view, at } = one
  return { view, file: sources.shown(at?.path ?? path), line: at?.line, lineOf: feature => sources.feature(at, feature) ?? at?.line }
}

function exportLine (path: string, name: string, sources: Sources): number | undefined {
  return sources.find(path, name === 'default' ? /\bexport\s+default\b/ : new RegExp(`\\bexport\\b.*\\b${name}\\b`)) ?? sources.find(path, new RegExp(`\\b${name}\\b`))
}

/** A mistake that stopped the file. Where a feature is named, the line is that feature's. */
function thrown (path: string, { name, message, at, cause }: Extract<Evaluated, { kind: 'threw' }>, sources: Sources): LatidoError {
  const feature = /^feature view \S+: feature "?(\w+)"?:/.exec(message)?.[1]
  const concept = /there is no concept "([^"]*)"/.exec(message)?.[1]
  const near = concept === undefined ? [] : nearNames(concept, CONCEPT_IDS)
  const line = feature === undefined ? at?.line : sources.feature(at, feature) ?? at?.line
  const what = name === 'LatidoError' ? message : `it throws when it is imported: ${message}`
  return faultAt(sources.shown(at?.path ?? path), line, what, near.length > 0 ? `did you mean ${near.join(', ')}?` : 'mend the definition', cause)
}

function refuseTaken (loaded: readonly LoadedView[], standard: readonly FeatureView[]): void {
  const seen = new Map<string, LoadedView>()
  for (const one of loaded) {
    const { view, view: { name, version }, file, line } = one
    if (standard.some(s => s.name === name)) throw faultAt(file, line, `a standard view has the name ${name}`, 'choose another name')
    const before = seen.get(viewKey(view))
    if (before !== undefined && before.file === file && before.line === line) throw faultAt(file, line, `view ${name} version ${version} is exported twice`, 'export it once')
    if (before !== undefined) throw faultAt(file, line, `view ${name} version ${version} is defined in ${before.file}${before.line === undefined ? '' : `:${before.line}`} too`, 'give one of them another name, or the next version')
    seen.set(viewKey(view), one)
  }
}

/** A ward's or a bed's view reads features that there are. */
function refuseUnreadable (loaded: readonly LoadedView[], standard: readonly FeatureView[]): void {
  const views = new Map([...standard, ...loaded.map(l => l.view)].map(view => [viewKey(view), view]))
  for (const { view: { name, names, expressions }, file, lineOf } of loaded) {
    expressions.forEach((expression, i) => {
      for (const { view, version, feature } of membersIn(expression)) {
        const read = views.get(`${view}@${version}`)
        const near = nearNames(read === undefined ? view : feature, read?.names ?? [...views.values()].map(v => v.name))
        const advice = near.length > 0 ? `did you mean ${near.join(', ')}?` : 'mend the definition'
        if (read === undefined) throw faultAt(file, lineOf(names[i]!), `feature view ${name}: feature ${names[i]!} reads ${view}@${version}, which there is not`, advice)
        if (!read.names.includes(feature)) throw faultAt(file, lineOf(names[i]!), `feature view ${name}: feature ${names[i]!} reads ${view}:${feature}, which there is not`, advice)
      }
    })
  }
}
