import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LatidoError } from '../../../streams/errors/index.ts'
import type { Lake } from './lake.ts'
import { MANIFEST_FILE, manifestText, parseManifest, type DatasetManifest } from './manifest.ts'

const NAME = /^[a-z][a-z0-9-]{0,62}$/

/** Throws CONFIG_INVALID. */
export function checkedName (name: string): string {
  if (!NAME.test(name)) throw new LatidoError('CONFIG_INVALID', 'the name of a data set begins with a letter and has lower-case letters, digits and hyphens, at most 63', 'choose another name')
  return name
}

export function folderOf (name: string, version: number): string { return `datasets/${name}/${version}` }

/** `NAME` or `NAME@VERSION`. Throws CONFIG_INVALID. */
export function parseReference (reference: string): { readonly name: string, readonly version: number | undefined } {
  const [name = '', version, ...rest] = reference.split('@')
  if (rest.length > 0 || (version !== undefined && !/^[1-9]\d{0,8}$/.test(version))) throw new LatidoError('CONFIG_INVALID', 'a data set is named NAME or NAME@VERSION', 'latido dataset list shows them')
  return { name: checkedName(name), version: version === undefined ? undefined : Number(version) }
}

export async function versionsOf (lake: Lake, name: string): Promise<readonly number[]> {
  return (await lake.list(`datasets/${name}`)).filter(v => /^[1-9]\d*$/.test(v)).map(Number).sort((a, b) => a - b)
}

export async function nextVersion (lake: Lake, name: string): Promise<number> { return ((await versionsOf(lake, name)).at(-1) ?? 0) + 1 }

/** A version, or the newest one. Throws DATASET_UNKNOWN or DATASET_DAMAGED. */
export async function readDataset (lake: Lake, name: string, version?: number): Promise<DatasetManifest> {
  const wanted = version ?? (await versionsOf(lake, name)).at(-1)
  const found = wanted === undefined ? undefined : await lake.readText(`${folderOf(name, wanted)}/${MANIFEST_FILE}`)
  if (found === undefined) throw new LatidoError('DATASET_UNKNOWN', `${lake.name} has no data set ${name}${version === undefined ? '' : `@${version}`}`, 'latido dataset list shows those that it has')
  return parseManifest(found, `${name}@${String(wanted)}`)
}

/** Every version of every data set, by name and version; damaged ones throw when they are read by name. */
export async function listDatasets (lake: Lake): Promise<readonly DatasetManifest[]> {
  const found: DatasetManifest[] = []
  for (const name of await lake.list('datasets')) {
    if (!NAME.test(name)) continue
    for (const version of await versionsOf(lake, name)) {
      const manifest = await lake.readText(`${folderOf(name, version)}/${MANIFEST_FILE}`)
      if (manifest !== undefined) found.push(parseManifest(manifest, `${name}@${version}`))
    }
  }
  return found
}

export interface FileCheck { readonly name: string, readonly state: 'same' | 'different' | 'missing' }

/** Compares every file with its hash in the manifest. */
export async function verifyDataset (lake: Lake, manifest: DatasetManifest): Promise<readonly FileCheck[]> {
  const checks: FileCheck[] = []
  for (const { name, sha256, bytes } of manifest.files) {
    const found = await lake.hash(`${folderOf(manifest.name, manifest.version)}/${name}`)
    checks.push({ name, state: found === undefined ? 'missing' : found.sha256 === sha256 && found.bytes === bytes ? 'same' : 'different' })
  }
  return checks
}

/** Copies a version to another lake, checking it on the way. Throws DATASET_DAMAGED or DATASET_EXISTS; the other lake sees all of it or nothing. */
export async function copyDataset (from: Lake, to: Lake, manifest: DatasetManifest): Promise<void> {
  const wrong = (await verifyDataset(from, manifest)).filter(({ state }) => state !== 'same')
  if (wrong.length > 0) throw new LatidoError('DATASET_DAMAGED', `${manifest.name}@${manifest.version}: ${wrong.map(({ name, state }) => `${name} is ${state}`).join(', ')}`, 'restore it from its source, or build it again')
  const folder = folderOf(manifest.name, manifest.version)
  const local = await mkdtemp(join(tmpdir(), 'latido-dataset-'))
  try {
    for (const { name } of manifest.files) await from.fetch(`${folder}/${name}`, join(local, name))
    await writeFile(join(local, MANIFEST_FILE), manifestText(manifest), { mode: 0o600 })
    await to.publish(local, [...manifest.files.map(({ name }) => name), MANIFEST_FILE], folder)
  } finally {
    await rm(local, { recursive: true, force: true })
  }
}

/** Throws DATASET_UNKNOWN. */
export async function removeDataset (lake: Lake, name: string, version: number): Promise<void> {
  await readDataset(lake, name, version)
  await lake.remove(folderOf(name, version))
}
