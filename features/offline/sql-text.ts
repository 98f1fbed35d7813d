/** Pieces of SQL. What goes in here comes from checked definitions and pseudonyms; other values are bound. */

/** A string literal. */
export function quoted (text: string): string { return `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'` }

/** An identifier. */
export function named (name: string): string { return `\`${name.replace(/[\\`]/g, '\\$&')}\`` }

/** A DateTime64(3) column as milliseconds since 1970. */
export function msOf (column: string): string { return `toUnixTimestamp64Milli(${column})` }

/** Milliseconds since 1970 as a DateTime64(3). */
export function momentOf (ms: number): string { return `fromUnixTimestamp64Milli(${Math.floor(ms)}, 'UTC')` }
