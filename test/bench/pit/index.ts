import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LatidoError } from '../../../streams/errors/index.ts'
import type { BenchOptions, Benchmark, Measure } from '../measure.ts'
import { PeakOfTree, type Peak } from './tree.ts'

/**
 * The point-in-time join of 100,000 labels with 5 views of 200,000 rows and 10 features, beside Feast on DuckDB, in turn. The peer's harness is
 * prepared outside (its environment `vf` and its generated `data`); LATIDO_BENCH_FEAST names its folder. What is timed: of Feast
 * `get_historical_features(...).to_df()`, from a DataFrame of labels and Parquet files to a DataFrame; of ours a whole `latido dataset build` from
 * the labels' Parquet file and the vectors in the offline store to checked labels, Parquet files on disk, their hashes and the manifest. Loading
 * the vectors is not timed (the product has them), nor the start of either.
 */
export const pit: Benchmark = {
  summary: 'Point-in-time join beside Feast on DuckDB',
  run: async ({ runs = 3, say }: BenchOptions): Promise<readonly Measure[]> => {
    const feast = process.env['LATIDO_BENCH_FEAST'] ?? ''
    const python = join(feast, 'vf/bin/python')
    if (feast === '' || !existsSync(python) || !existsSync(join(feast, 'data/labels.parquet'))) throw new LatidoError('CONFIG_INVALID', 'the peer of this benchmark is not prepared', 'set LATIDO_BENCH_FEAST to a folder with its environment "vf" and its generated "data"')
    const store = mkdtempSync(join(tmpdir(), 'latido-bench-pit-store-'))
    const own = (what: string): readonly string[] => [process.execPath, '--import', 'tsx', fileURLToPath(new URL('./ours.ts', import.meta.url)), join(feast, 'data'), what, store]
    try {
      say('loading the vectors into the offline store')
      await run(own('load'), process.cwd())
      const ours: Run[] = []
      const peer: Run[] = []
      for (let i = 0; i < runs; i++) {
        say(`run ${i + 1} of ${runs}: Feast, then ours`)
        peer.push(feastOf(await run([python, 'feast/offline.py', 'data', 'work', 'duckdb'], feast)))
        ours.push(oursOf(await run(own('join'), process.cwd())))
        refuseOther(peer.at(-1)!, ours.at(-1)!)
      }
      return [...measures('Feast 0.67 on DuckDB', peer), ...measures('Latido', ours), ...ratios(peer, ours)]
    } finally {
      rmSync(store, { recursive: true, force: true })
    }
  },
}

interface Run { readonly seconds: number, readonly peak: Peak, readonly rows: number, readonly first: number, readonly last: number, readonly nulls: number }
interface Said { readonly text: string, readonly peak: Peak }

function run ([command = '', ...args]: readonly string[], cwd: string): Promise<Said> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    const peak = new PeakOfTree(child.pid!)
    let text = ''
    let errors = ''
    let highest: Peak | undefined
    child.stdout.on('data', (chunk: Buffer) => { text += chunk.toString(); highest = peak.stop() })
    child.stderr.on('data', (chunk: Buffer) => { errors = (errors + chunk.toString()).slice(-2_000) })
    child.on('close', code => { const last = highest ?? peak.stop(); if (code === 0) resolve({ text, peak: last }); else reject(new Error(`${command} ended with ${String(code)}: ${errors}`)) })
    child.on('error', reject)
  })
}

function oursOf ({ text, peak }: Said): Run { return { ...JSON.parse(text.trim().split('\n').at(-1)!) as Omit<Run, 'peak'>, peak } }

function feastOf ({ text, peak }: Said): Run {
  const found = /feast duckdb: (\d+) rows x \d+ cols in ([\d.]+)s.*v0_f0=(-?[\d.]+) v4_f9=(-?[\d.]+) nulls=(\d+)/.exec(text)
  if (found === null) throw new Error('the peer said something else than expected')
  const [, rows, seconds, first, last, nulls] = found.map(Number)
  return { rows: rows!, seconds: seconds!, first: first!, last: last!, nulls: nulls!, peak }
}

/** Both must have joined the same. */
function refuseOther (peer: Run, ours: Run): void {
  const near = (a: number, b: number): boolean => Math.abs(a - b) < 1e-5
  if (ours.rows !== peer.rows || ours.nulls !== peer.nulls || !near(ours.first, peer.first) || !near(ours.last, peer.last)) throw new LatidoError('PAYLOAD_INVALID', `the joins differ: ${JSON.stringify({ ours, peer })}`, 'find out which is wrong before any figure is believed')
}

const MB = 1_000_000

function measures (who: string, runs: readonly Run[]): readonly Measure[] {
  return [
    { name: `pit join 100k labels x 5 views, ${who}`, unit: 's', values: runs.map(r => r.seconds) },
    { name: `peak memory, ${who}`, unit: 'MB', values: runs.map(r => r.peak.residentBytes / MB) },
    { name: `peak memory without files, ${who}`, unit: 'MB', values: runs.map(r => r.peak.anonymousBytes / MB) },
  ]
}

function ratios (peer: readonly Run[], ours: readonly Run[]): readonly Measure[] {
  return [
    { name: 'pit join, times as fast', unit: 'x', values: peer.map((p, i) => p.seconds / ours[i]!.seconds), target: '5' },
    { name: 'pit join, share of the memory', unit: '', values: peer.map((p, i) => ours[i]!.peak.residentBytes / p.peak.residentBytes), target: '0.33' },
  ]
}
