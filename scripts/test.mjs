// All checks: types, lint, tests. Ends with one line, `N passed, N failed`.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const scratch = mkdtempSync(join(tmpdir(), 'latido-results-'))
const report = join(scratch, 'report.json')
const npx = (args) => spawnSync('npx', ['--no-install', ...args], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], shell: process.platform === 'win32' }).status === 0

let passed = 0
let failed = 0
const check = (name, ok) => {
  process.stdout.write(`${ok ? 'ok' : 'FAILED'}: ${name}\n`)
  if (ok) passed++; else failed++
}

check('types', npx(['tsc', '-p', 'tsconfig.json', '--noEmit']))
check('types of the pages', npx(['tsc', '-p', 'dashboards/web/tsconfig.json', '--noEmit']))
check('lint', npx(['oxlint', '--deny-warnings']))
const ran = npx(['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...process.argv.slice(2)])
let skipped = 0
try {
  const results = JSON.parse(readFileSync(report, 'utf8'))
  passed += results.numPassedTests
  failed += results.numFailedTests
  skipped = results.numPendingTests
} catch {
  failed++
}
if (!ran && failed === 0) failed++
rmSync(scratch, { recursive: true, force: true })
process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`)
process.exit(failed === 0 ? 0 : 1)
