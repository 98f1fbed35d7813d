import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { madeOnce } from './java.ts'

const run = promisify(execFile)
const PACKAGES = ['hl7==0.4.5', 'hl7apy==1.3.5']
const FETCH_MAX_MS = 240_000

/** The interpreter of a virtual environment with python-hl7 and hl7apy; made once and kept. Throws where there is no such Python, or pip fetches nothing. */
export async function pythonHl7 (): Promise<string> {
  const version = spawnSync('python3', ['-c', 'import ensurepip, sys; v = sys.version_info; print(f"{v.major}.{v.minor}") if v[:2] >= (3, 9) else sys.exit(1)'], { encoding: 'utf8' })
  if (version.status !== 0) throw new Error('no python3 of version 3.9 or later with venv')
  const directory = await madeOnce(`python-hl7-${version.stdout.trim()}-1`, async fresh => {
    try {
      await run('python3', ['-m', 'venv', join(fresh, 'venv')], { timeout: FETCH_MAX_MS })
      await run(join(fresh, 'venv', 'bin', 'python'), ['-m', 'pip', 'install', '-q', '--no-deps', '--disable-pip-version-check', ...PACKAGES], { timeout: FETCH_MAX_MS })
    } catch (e) {
      throw new Error('pip could not fetch python-hl7 and hl7apy', { cause: e })
    }
  })
  return join(directory, 'venv', 'bin', 'python')
}
