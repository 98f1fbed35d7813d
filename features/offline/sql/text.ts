/** Pieces of SQL. Values never come in here: times and positions stand in tables, names come from checked definitions. */

/** A string literal. */
export function quoted (text: string): string { return `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'` }

/** An identifier. */
export function name (text: string): string { return `\`${text.replace(/\\/g, '\\\\').replace(/`/g, '\\`')}\`` }

/** A double that is read back as the same double. */
export function float (value: number): string { return Number.isNaN(value) ? 'nan' : value === Infinity ? 'inf' : value === -Infinity ? '-inf' : `toFloat64(${String(value)})` }

/** `transform` of a concept to a number of each; 0 for others. */
export function ofConcept (concept: string, of: ReadonlyMap<string, number>): string {
  return of.size === 0 ? 'toInt64(0)' : `transform(${concept}, [${[...of.keys()].map(quoted).join(', ')}], [${[...of.values()].map(n => `toInt64(${n})`).join(', ')}], toInt64(0))`
}

export function concepts (of: Iterable<string>): string { return `(${[...of].map(quoted).join(', ')})` }

/** A common table expression. */
export interface Part { readonly name: string, readonly sql: string }

export function withParts (parts: readonly Part[], select: string, recursive: boolean = false): string {
  return `WITH ${recursive ? 'RECURSIVE ' : ''}${parts.map(part => `${part.name} AS (\n${indent(part.sql)}\n)`).join(',\n')}\n${select}`
}

export function indent (sql: string): string { return sql.split('\n').map(line => `  ${line}`).join('\n') }
