import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { BuildFailure, Plugin } from 'esbuild'
import { PRODUCT_ROOT } from '../../../features/files/index.ts'
import { LatidoError, messageOf } from '../../../streams/errors/index.ts'

/** What a connector of a user's own may import of the product: the same as `exports` of package.json. */
export const CONNECTOR_MODULES: Readonly<Record<string, string>> = { 'latido/connectors': 'connectors', 'latido/connectors/conformance': 'connectors/conformance' }

/** A user's TypeScript module, with what it imports beside the product's own. It runs in the process, as the product's connectors do: only the operator's own files are loaded. Throws CONNECTOR_INVALID. */
export async function loadModule (file: string): Promise<Readonly<Record<string, unknown>>> {
  const code = await bundle(file)
  const folder = mkdtempSync(join(tmpdir(), 'latido-connector-'))
  try {
    const script = join(folder, 'connector.mjs')
    writeFileSync(script, code)
    return await import(pathToFileURL(script).href) as Readonly<Record<string, unknown>>
  } catch (cause) {
    throw new LatidoError('CONNECTOR_INVALID', `${file} cannot be loaded: ${messageOf(cause)}`, 'mend the file', cause)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function bundle (file: string): Promise<string> {
  const { build, stop } = await compiler()
  try {
    const { outputFiles } = await build({ entryPoints: [resolve(file)], bundle: true, write: false, format: 'esm', platform: 'node', target: 'node20', sourcemap: 'inline', logLevel: 'silent', tsconfigRaw: '{}', plugins: [productModules] })
    return outputFiles[0]!.text
  } catch (e) {
    const [first] = (e as Partial<BuildFailure>).errors ?? []
    const where = first?.location == null ? '' : `, line ${first.location.line}`
    throw new LatidoError('CONNECTOR_INVALID', `${file}${where}: ${first?.text ?? messageOf(e)}`, 'mend the file', e)
  } finally {
    await stop()
  }
}

/** The product's modules are not copied into the bundle: the connector and the product are to mean the same classes. */
const productModules: Plugin = {
  name: 'latido',
  setup: ({ onResolve }) => {
    const extension = extname(import.meta.url)
    onResolve({ filter: /^latido\// }, ({ path }) => {
      const folder = CONNECTOR_MODULES[path]
      if (folder === undefined) return { errors: [{ text: `"${path}" may not be imported: a connector imports ${Object.keys(CONNECTOR_MODULES).join(' and ')}` }] }
      return { path: pathToFileURL(join(PRODUCT_ROOT, folder, `index${extension}`)).href, external: true }
    })
  },
}

async function compiler (): Promise<typeof import('esbuild')> {
  try {
    return await import('esbuild')
  } catch (cause) {
    throw new LatidoError('NOT_BUILT', 'esbuild, which reads TypeScript connectors, is not installed', 'run "npm install"', cause)
  }
}
