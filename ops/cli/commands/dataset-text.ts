import type { DatasetManifest } from '../../../features/offline/index.ts'

/** A table: one line for each version. */
export function renderDatasets (datasets: readonly DatasetManifest[]): string {
  if (datasets.length === 0) return 'latido: no data sets yet\n'
  return table([['name', 'version', 'created', 'source', 'rows', 'columns', 'bytes', 'views'], ...datasets.map(d => [d.name, String(d.version), d.created, d.source, String(d.rows), String(d.columns.length), String(bytesOf(d)), d.views.map(v => `${v.name}@${v.version}`).join(' ')])])
}

/** What the manifest says, for people. */
export function renderDataset (d: DatasetManifest): string {
  const facts = [
    ['data set', `${d.name}@${d.version}`], ['created', d.created], ['source', d.source], ['arrived by', d.arrivedBy], ['rows', String(d.rows)], ['labels', `${d.labels.file}, ${d.labels.rows} rows, sha256 ${d.labels.sha256}`],
    ['engine', `ClickHouse ${d.engine}`], ...d.views.map(v => ['view', `${v.name}@${v.version}, definition ${v.fingerprint}`]), ...d.files.map(f => ['file', `${f.name}, ${f.rows} rows, ${f.bytes} bytes, sha256 ${f.sha256}`]),
  ]
  return `${table(facts)}\n${table([['column', 'type', 'unit', 'from'], ...d.columns.map(c => [c.name, c.type, c.unit, c.view ?? c.from])])}`
}

function bytesOf ({ files }: DatasetManifest): number { return files.reduce((sum, file) => sum + file.bytes, 0) }

function table (rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  return `${rows.map(row => row.map((cell, i) => cell.padEnd(widths[i]!)).join('  ').trimEnd()).join('\n')}\n`
}
