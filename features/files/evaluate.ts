import { SourceMap, type SourceMapPayload } from 'node:module'
import { resolve, sep } from 'node:path'
import { createContext, Script } from 'node:vm'
import type { FeatureView } from '../define/index.ts'
import { EXPORTS_GLOBAL, MADE_GLOBAL, type Bundle } from './bundle.ts'

/** A place in the user's sources. */
export interface Place { readonly path: string, readonly line: number }
/** A view as one was made, and where. */
export interface Made { readonly view: FeatureView, readonly at: Place | undefined }

export type Evaluated =
  | { readonly kind: 'exports', readonly exports: Readonly<Record<string, unknown>>, readonly made: readonly Made[] }
  | { readonly kind: 'threw', readonly name: string, readonly message: string, readonly at: Place | undefined, readonly cause: unknown }
  | { readonly kind: 'timeout' }

const SCRIPT = 'latido-view-file.js'

/**
 * Runs a bundled file in a context of its own, for a bounded time: nothing of Node is there (no files, no network, no timers), so a definition
 * depends on nothing but itself. It is no prison for hostile code: the folder is the operator's own. What comes back is copied.
 */
export function evaluateBundle (bundle: Bundle, timeoutMs: number): Evaluated {
  const map = new SourceMap(JSON.parse(bundle.map) as SourceMapPayload)
  const placeIn = (stack: unknown): Place | undefined => typeof stack === 'string' ? placeOf(stack, map, bundle) : undefined
  const made: { readonly view: object, readonly at: Place | undefined }[] = []
  const silent = (): void => {}
  const context = createContext({ console: { log: silent, info: silent, warn: silent, error: silent }, [MADE_GLOBAL]: (view: object, stack: unknown) => { made.push({ view, at: placeIn(stack) }) } }, { microtaskMode: 'afterEvaluate' })
  try {
    new Script(`${bundle.code}\n;globalThis.${EXPORTS_GLOBAL} = ${EXPORTS_GLOBAL}`, { filename: SCRIPT }).runInContext(context, { timeout: timeoutMs })
  } catch (e) {
    const { name, message, stack, code } = (typeof e === 'object' && e !== null ? e : { message: String(e) }) as { readonly name?: string, readonly message?: string, readonly stack?: string, readonly code?: string }
    return code === 'ERR_SCRIPT_EXECUTION_TIMEOUT' ? { kind: 'timeout' } : { kind: 'threw', name: name ?? '', message: message ?? 'it throws', at: placeIn(stack), cause: e }
  }
  const exported = { ...(context[EXPORTS_GLOBAL] as Readonly<Record<string, unknown>>) }
  const copies = new Map(made.map(({ view, at }): [object, Made] => [view, { view: structuredClone(view) as FeatureView, at }]))
  return { kind: 'exports', exports: Object.fromEntries(Object.entries(exported).map(([name, value]) => [name, copies.get(value as object)?.view ?? value])), made: [...copies.values()] }
}

/** The innermost frame of the stack that lies in a file of the user's. */
function placeOf (stack: string, map: SourceMap, { outDir, folder }: Bundle): Place | undefined {
  for (const [, line, column] of stack.matchAll(new RegExp(`${SCRIPT}:(\\d+):(\\d+)`, 'g'))) {
    const entry = map.findEntry(Number(line) - 1, Number(column) - 1)
    if (!('originalSource' in entry) || entry.originalSource.includes('latido-facade:')) continue
    const path = resolve(outDir, entry.originalSource)
    if (path.startsWith(folder + sep)) return { path, line: entry.originalLine + 1 }
  }
  return undefined
}
