// When the sources last changed: a build that is older is stale.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const SOURCES = ['streams', 'features', 'inference', 'connectors', 'dashboards', 'ops', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json']

/** Newest modification time (ms) of what the build is made from. */
export function newestSource (root) { return Math.max(...SOURCES.map(source => newest(join(root, source)))) }

function newest (path) {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return 0
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(0, ...readdirSync(path).filter(name => !name.startsWith('.') && name !== '__pycache__' && name !== 'training').map(name => newest(join(path, name))))
}
