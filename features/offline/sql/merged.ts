import type { OfflineSql } from '../clickhouse/index.ts'

/** Whether patients were ever merged. What knows of merges is much dearer to plan, also where there are none. */
export async function anyMerged (sql: OfflineSql): Promise<boolean> { return Number((await sql.rows('SELECT count() AS n FROM merges', {}))[0]?.['n'] ?? 0) > 0 }
