import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { PRODUCT_ROOT, typeSettings } from '../../../features/files/index.ts'
import { LatidoError, messageOf } from '../../../streams/errors/index.ts'
import { CONNECTOR_MODULES } from './load-module.ts'

/**
 * Makes a connector that works, in a folder of feeds: the connector, what it is tried with, and its feed's file. Throws CONFIG_INVALID where one is
 * there already; overwrites nothing.
 */
export function newConnector (name: string, folder: string, taken: readonly string[] = []): readonly string[] {
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(name)) throw new LatidoError('CONFIG_INVALID', `"${name}" is no name for a connector`, 'lower-case letters, digits and "-", beginning with a letter')
  if (taken.includes(name)) throw new LatidoError('CONFIG_INVALID', `Latido has a connector "${name}" already`, 'choose another name')
  const settings = typeSettings(CONNECTOR_MODULES)
  const shared: readonly (readonly [string, string])[] = [
    ...(settings === undefined ? [] : [[join(folder, 'tsconfig.json'), `${JSON.stringify({ ...settings, include: ['.'] }, null, 2)}\n`] as const]),
    [join(folder, 'package.json'), '{ "type": "module", "private": true }\n'],
  ]
  const own: readonly (readonly [string, string])[] = [
    [join(folder, `${name}.connector.ts`), template('connector.ts', name)],
    [join(folder, `${name}.harness.ts`), template('harness.ts', name)],
    [join(folder, `${name}.json`), `${JSON.stringify({ connector: name, options: { url: 'http://127.0.0.1:9000/readings' }, mapping: { zone: 'UTC' } }, null, 2)}\n`],
  ]
  const there = own.find(([file]) => existsSync(file))
  if (there !== undefined) throw new LatidoError('CONFIG_INVALID', `${there[0]} is there already`, 'choose another name')
  const files = [...own, ...shared.filter(([file]) => !existsSync(file))]
  try {
    mkdirSync(folder, { recursive: true })
    for (const [file, text] of files) writeFileSync(file, text, { flag: 'wx' })
  } catch (cause) {
    throw new LatidoError('FILE_UNREADABLE', `the connector cannot be written: ${messageOf(cause)}`, 'choose another folder, or change its permissions', cause)
  }
  return files.map(([file]) => file)
}

/** The product's own template, tested with it, as a user's file: other imports, another name. */
function template (file: string, name: string): string {
  const sources = basename(PRODUCT_ROOT) === 'dist' ? dirname(PRODUCT_ROOT) : PRODUCT_ROOT
  try {
    return readFileSync(join(sources, 'connectors', 'template', file), 'utf8')
      .replaceAll("'../index.ts'", "'latido/connectors'").replaceAll("'../conformance/index.ts'", "'latido/connectors/conformance'").replaceAll("'./connector.ts'", `'./${name}.connector.ts'`)
      .replaceAll("'example'", `'${name}'`).replaceAll("'example:readings'", `'${name}:readings'`)
  } catch (cause) {
    throw new LatidoError('NOT_BUILT', 'the template of a connector is not there', 'install the product with its sources', cause)
  }
}
