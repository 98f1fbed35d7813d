import { LatidoError } from '../../../streams/errors/index.ts'
import type { FeatureView } from '../../define/index.ts'
import { Columns, type Node } from './derive.ts'
import { ASKED, askedParts, gatherParts } from './gather.ts'
import { leavesOf, needsOf, type ConceptNeeds } from './needs.ts'
import { readingParts } from './readings.ts'
import { indent, withParts, type Part } from './text.ts'
import { named } from '../sql-text.ts'

/** What a view is compiled for. */
export interface CompileOptions {
  /** A table, or a query in parentheses, with the columns row UInt64 (each another), patient String, as_of DateTime64(3) and through Int64 (-1: all that had arrived by as_of). */
  readonly spine: string
  /** `columns`: row, and of each feature its value under its name (NaN: absent) and its event time (ms) under `NAME time`. `arrays`: row, values, times. Default `columns`. */
  readonly shape?: 'columns' | 'arrays'
  /** False leaves merges out, which are dearer: where there are none. Default true. */
  readonly merged?: boolean
  /** False for a ClickHouse that knows no materialized common table expressions: the same answer, computed several times over. Default true. */
  readonly materialized?: boolean
  /** A table of resolved readings (see `compileReadings`) of the spine's patients, in place of resolving the log again. */
  readonly readings?: string
}

/**
 * A view as one ClickHouse query: of each row of a spine, every feature as it was known then, by docs/feature-semantics.md. The order of rows is not said.
 * Throws VIEW_INVALID for a view that does not speak of patients.
 */
export function compileView (view: FeatureView, options: CompileOptions): string {
  refuseOthers(view)
  const { spine, shape = 'columns', merged = true, materialized = true, readings } = options
  const needs = needsOf(view)
  const resolved = readingParts(needs, merged)
  const log = readings === undefined ? resolved : [...resolved.filter(part => !OF_OBSERVATIONS.has(part.name)), { name: 'readings', sql: `SELECT * FROM ${readings}` }]
  const gathered = gatherParts(needs, view.expressions.flatMap(leavesOf).some(e => e.op === 'fact'))
  const columns = new Columns()
  const nodes = view.expressions.map(e => columns.of(e))
  const parts = [...askedParts(spine), ...log, ASKED, ...gathered.parts]
  return selfContained(withParts(parts, `${answer(view, nodes, shape)}\nFROM ${levelled(columns, gathered.joined)}\n${settings(materialized)}`, materialized))
}

/** The readings of the patients of a spine as one query, for a table that `compileView` may read; `needs` of all views that will. */
export function compileReadings (view: FeatureView, options: Pick<CompileOptions, 'spine' | 'merged' | 'materialized'>): string {
  refuseOthers(view)
  const { spine, merged = true, materialized = true } = options
  return selfContained(withParts([...askedParts(spine), ...readingParts(needsOf(view), merged)], `SELECT * FROM readings\n${settings(materialized)}`, materialized))
}

/** A query within a query brings its settings along, into a read-only request too. */
function selfContained (sql: string): string { return `SELECT * FROM (\n${indent(sql)}\n)` }

function settings (materialized: boolean): string { return `SETTINGS join_use_nulls = 0${materialized ? ', enable_materialized_cte = 1' : ''}` }

/** What a table of readings stands for. */
const OF_OBSERVATIONS: ReadonlySet<string> = new Set(['told', 'dense_told', 'dense_near', 'words', 'kept_words', 'readings'])

export type { ConceptNeeds, Part }

function refuseOthers (view: FeatureView): void {
  if (view.entity !== 'patient') throw new LatidoError('VIEW_INVALID', `feature view ${view.name}: it speaks of a ${view.entity}, and only views of patients are computed from observations`, 'choose a view of patients')
}

/** The gathered columns of each row, then level over level. */
function levelled (columns: Columns, joined: readonly string[]): string {
  const base = `SELECT a.row AS row, a.as_of AS as_of${joined.map(part => `, ${part}.* EXCEPT (row)`).join('')}\nFROM asked AS a${joined.map(part => ` LEFT JOIN ${part} AS ${part} ON ${part}.row = a.row`).join('')}`
  return `(\n${indent(columns.levels.reduce((from, level) => level.length === 0 ? from : `SELECT *, ${level.map(([column, sql]) => `${sql} AS ${column}`).join(',\n  ')}\nFROM (\n${indent(from)}\n)`, base))}\n)`
}

function answer (view: FeatureView, nodes: readonly Node[], shape: 'columns' | 'arrays'): string {
  const value = nodes.map(({ value: sql }) => `toFloat64(${sql})`)
  const time = nodes.map(({ value: sql, time: of }) => `if(isNaN(${sql}), nan, if(${of} = inf, toFloat64(as_of), ${of}))`)
  if (shape === 'arrays') return `SELECT row, [${value.join(', ')}] AS values, [${time.join(', ')}] AS times`
  return `SELECT row, ${view.names.map((feature, i) => `${value[i]} AS ${named(feature)}, ${time[i]} AS ${named(`${feature} time`)}`).join(',\n  ')}`
}
