import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { madeOnce } from './java.ts'

const run = promisify(execFile)
/** With wheels for Python 3.10 to 3.13. */
const PACKAGES = ['numpy==2.1.3', 'scipy==1.14.1', 'scikit-learn==1.5.2', 'pyarrow==18.1.0', 'joblib==1.4.2', 'threadpoolctl==3.5.0']
const FETCH_MAX_MS = 280_000

/** The interpreter of a virtual environment that can train a small model and read Parquet; made once and kept. Throws where there is no such Python, or pip fetches nothing. */
export async function pythonTrain (): Promise<string> {
  const version = spawnSync('python3', ['-c', 'import ensurepip, sys; v = sys.version_info; print(f"{v.major}.{v.minor}") if (3, 10) <= v[:2] <= (3, 13) else sys.exit(1)'], { encoding: 'utf8' })
  if (version.status !== 0) throw new Error('no python3 from 3.10 to 3.13 with venv')
  const directory = await madeOnce(`python-train-${version.stdout.trim()}-1`, async fresh => {
    try {
      await run('python3', ['-m', 'venv', join(fresh, 'venv')], { timeout: FETCH_MAX_MS })
      await run(join(fresh, 'venv', 'bin', 'python'), ['-m', 'pip', 'install', '-q', '--no-deps', '--only-binary', ':all:', '--disable-pip-version-check', ...PACKAGES], { timeout: FETCH_MAX_MS })
    } catch (e) {
      throw new Error('pip could not fetch the packages for training', { cause: e })
    }
  })
  const python = join(directory, 'venv', 'bin', 'python')
  if (!existsSync(python)) throw new Error('the environment for training has no Python')
  return python
}
