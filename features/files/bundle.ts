import { existsSync, realpathSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import type { BuildFailure, OnResolveArgs, OnResolveResult, OutputFile, Plugin, PluginBuild } from 'esbuild'
import { LatidoError } from '../../streams/errors/index.ts'
import { faultAt } from './fault.ts'
import { PRODUCT_ROOT, PUBLIC_MODULES } from './product.ts'

/** One file of the folder with all that it imports, as a script; `map` is its source map. */
export interface Bundle { readonly file: string, readonly code: string, readonly map: string, readonly outDir: string, readonly folder: string }

/** The global that a script leaves its exports in. */
export const EXPORTS_GLOBAL = 'latidoExports'
/** Called with each view and the stack of the call that made it. */
export const MADE_GLOBAL = 'latidoMade'
const FACADE = 'latido-facade'
const OUT = 'out'

/**
 * Strips the types and joins each file with what it imports. A view may import the public modules and files of its own folder, nothing else: a
 * definition is data, and means the same wherever it is read. Throws VIEW_INVALID with file and line.
 */
export async function bundleViews (folder: string, files: readonly string[], shown: (file: string) => string): Promise<readonly Bundle[]> {
  const { build, stop } = await compiler()
  const outDir = join(folder, OUT)
  try {
    const { outputFiles } = await build({
      entryPoints: files.map(file => join(folder, file)), bundle: true, write: false, outdir: outDir, outbase: folder, absWorkingDir: folder, format: 'iife', globalName: EXPORTS_GLOBAL,
      platform: 'neutral', target: 'node20', sourcemap: 'external', logLevel: 'silent', tsconfigRaw: '{}', charset: 'utf8', legalComments: 'none', plugins: [imports(folder)],
    })
    const of = (path: string): OutputFile | undefined => outputFiles.find(o => o.path === path)
    return files.map(file => {
      const out = join(outDir, file.replace(/\.[cm]?[jt]s$/, '.js'))
      return { file, code: of(out)!.text, map: of(`${out}.map`)!.text, outDir: dirname(out), folder }
    })
  } catch (e) {
    throw failureOf(e, shown)
  } finally {
    await stop()
  }
}

async function compiler (): Promise<typeof import('esbuild')> {
  try {
    return await import('esbuild')
  } catch (cause) {
    throw new LatidoError('NOT_BUILT', 'esbuild, which reads TypeScript views, is not installed', 'run "npm install"', cause)
  }
}

function failureOf (e: unknown, shown: (file: string) => string): unknown {
  const [first] = (e as Partial<BuildFailure>).errors ?? []
  if (first === undefined) return e
  const { location } = first
  const text = first.text.startsWith('Top-level await') ? 'a definition is data, and awaits nothing' : first.text
  return location === null ? new LatidoError('VIEW_INVALID', `the views cannot be read: ${text}`, 'mend the files', e) : faultAt(shown(location.file), location.line, text, 'mend the file', e)
}

/** Who may import what, and where it is. */
function imports (folder: string): Plugin {
  return {
    name: 'latido',
    setup: build => {
      build.onResolve({ filter: /.*/ }, async args => {
        if (args.kind === 'entry-point' || (args.pluginData as unknown) === FACADE) return undefined
        if (args.namespace === FACADE || isWithin(PRODUCT_ROOT, args.importer) && !isWithin(folder, args.importer)) return ofProduct(args)
        const known = PUBLIC_MODULES[args.path]
        if (known !== undefined) return publicModule(known)
        return await ofUser(build, folder, args)
      })
      build.onLoad({ filter: /.*/, namespace: FACADE }, ({ path }) => ({ contents: facade(path), resolveDir: dirname(path), loader: 'js' }))
    },
  }
}

/** The definitions stand behind a facade that notes where each view was made. */
function publicModule (path: string): OnResolveResult {
  return path === PUBLIC_MODULES['latido/features'] ? { path, namespace: FACADE } : { path, sideEffects: false }
}

function facade (define: string): string {
  const from = JSON.stringify(define)
  return `export * from ${from}
import { featureView as make } from ${from}
export function featureView (spec) { const view = make(spec); ${MADE_GLOBAL}(view, new Error().stack); return view }`
}

/** The product's own imports: what is not needed of them is left out, packages altogether. */
function ofProduct ({ path, importer }: OnResolveArgs): OnResolveResult {
  if (path.startsWith('.')) return { path: resolve(dirname(importer), path), sideEffects: false }
  return path.startsWith('/') || /^[A-Za-z]:/.test(path) ? { path, sideEffects: false } : { path, external: true, sideEffects: false }
}

async function ofUser (build: PluginBuild, folder: string, { path, kind, resolveDir, importer }: OnResolveArgs): Promise<OnResolveResult> {
  const only = 'a view imports latido/features, latido/views and files of its own folder'
  if (!path.startsWith('.')) return { errors: [{ text: `"${path}" may not be imported: ${only}` }] }
  const found = await build.resolve(asSource(path, resolveDir), { kind, resolveDir, importer, pluginData: FACADE })
  if (found.errors.length > 0) return { errors: [{ text: `"${path}" does not exist` }] }
  const asModule = Object.values(PUBLIC_MODULES).find(known => known === found.path)
  if (asModule !== undefined) return publicModule(asModule)
  return isWithin(folder, realpathSync(found.path)) ? { path: found.path } : { errors: [{ text: `"${path}" is outside of the folder: ${only}` }] }
}

/** `./parts.js` may be `./parts.ts`, as TypeScript lets people write. */
function asSource (path: string, resolveDir: string): string {
  const source = path.replace(/\.js$/, '.ts')
  return source !== path && !existsSync(join(resolveDir, path)) && existsSync(join(resolveDir, source)) ? source : path
}

function isWithin (folder: string, path: string): boolean { return path === folder || !relative(folder, path).startsWith('..') && path.startsWith(folder + sep) }
