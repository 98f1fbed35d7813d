import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A model of 20 trees over invented features, from invented data (inference/training/fixture.py). */
export const TINY_MODEL: string = fileURLToPath(new URL('./tiny-model', import.meta.url))

/** Invented rows, and what XGBoost says of them: raw scores, margins, and the 12 largest contributions as [feature, log-odds]. */
export interface Golden {
  readonly rows: readonly (readonly (number | null)[])[]
  readonly score: readonly number[]
  readonly probability: readonly number[]
  readonly margin: readonly number[]
  readonly base: number
  readonly top: readonly (readonly (readonly [feature: number, contribution: number])[])[]
}

export function goldenOf (directory: string): Golden { return JSON.parse(readFileSync(`${directory}/golden.json`, 'utf8')) as Golden }

export function rowOf (golden: Golden, i: number): Float64Array { return Float64Array.from(golden.rows[i] ?? [], v => v ?? NaN) }
