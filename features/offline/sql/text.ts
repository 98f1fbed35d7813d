import { quoted } from '../sql-text.ts'

// Pieces of the queries of views. Values never come in here: times and positions stand in tables, names come from checked definitions.

/** A double that is read back as the same double. */
export function float (value: number): string { return Number.isNaN(value) ? 'nan' : value === Infinity ? 'inf' : value === -Infinity ? '-inf' : `toFloat64(${String(value)})` }

/** `transform` of a concept to a number of each; 0 for others. */
export function ofConcept (concept: string, of: ReadonlyMap<string, number>): string {
  return of.size === 0 ? 'toInt64(0)' : `transform(${concept}, [${[...of.keys()].map(quoted).join(', ')}], [${[...of.values()].map(n => `toInt64(${n})`).join(', ')}], toInt64(0))`
}

export function concepts (of: Iterable<string>): string { return `(${[...of].map(quoted).join(', ')})` }

/** A common table expression. `often`: it is dear, and read in several places. Nothing that a set of `IN` reads may be so: ClickHouse makes the set before it (26.7). */
export interface Part { readonly name: string, readonly sql: string, readonly often?: boolean }

/** `materialized`: what is read in several places is computed once (else ClickHouse computes it anew in each place). */
export function withParts (parts: readonly Part[], select: string, materialized: boolean): string {
  const of = ({ name: part, sql, often = false }: Part): string => `${part} AS ${often && materialized ? 'MATERIALIZED ' : ''}(\n${indent(sql)}\n)`
  return `WITH ${parts.map(of).join(',\n')}\n${select}`
}

export function indent (sql: string): string { return sql.split('\n').map(line => `  ${line}`).join('\n') }
