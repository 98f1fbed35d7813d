// Makes a fresh clone ready: installs what the lock file names, builds what `npm start` serves. Needs nothing but Node and npm.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { newestSource } from './newest.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const say = line => { process.stdout.write(`latido: ${line}\n`) }
const at = (...parts) => join(root, ...parts)

checkNode()
install()
if (process.argv[2] === 'start') build()

function checkNode () {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  say(`Node ${process.versions.node} is too old: install Node 20.19 or later`)
  process.exit(1)
}

/** `npm ci` where node_modules is missing or was made from another lock file. No package needs its install script (docs/dependencies.md). */
function install () {
  const lock = readFileSync(at('package-lock.json'))
  const stamp = at('node_modules', '.latido-lock')
  const wanted = createHash('sha256').update(lock).digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  say('installing dependencies (once; about a minute)')
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], 'the dependencies could not be installed; check the network and try again')
  writeFileSync(stamp, wanted)
}

/** Compiles the services and the pages where a source is newer than the last build. */
function build () {
  const stamp = at('dist', '.built')
  if (existsSync(stamp) && newestSource(root) <= statSync(stamp).mtimeMs) return
  say('building (once after each change of the sources)')
  run('npm', ['run', '--silent', 'build'], 'the build failed')
  mkdirSync(at('dist'), { recursive: true })
  writeFileSync(stamp, '')
}

function run (command, args, failure) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], shell: process.platform === 'win32', env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' } })
  if (status === 0) return
  say(`${failure}${error === undefined ? '' : ` (${error.message})`}`)
  process.exit(1)
}
