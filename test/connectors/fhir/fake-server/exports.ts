import type { Store, Version } from './store.ts'

interface Job { readonly time: number, readonly types: readonly string[], readonly since: number, polls: number }

const LINES_A_FILE = 40

/** `$export`: jobs that are done after some polls, their files, and what became of them. */
export class Exports {
  readonly #store: Store
  readonly #jobs = new Map<string, Job>()
  readonly #pollsUntilDone: number
  readonly discarded: string[] = []
  started = 0
  /** Of what stands in the file of errors. */
  severity = 'warning'
  constructor (store: Store, pollsUntilDone: number) {
    this.#store = store
    this.#pollsUntilDone = pollsUntilDone
  }

  start (query: URLSearchParams): string {
    const id = `job-${++this.started}`
    const since = query.get('_since')
    this.#jobs.set(id, { time: this.#store.now(), types: (query.get('_type') ?? 'Patient,Observation').split(','), since: since === null ? -Infinity : Date.parse(since), polls: 0 })
    return id
  }

  /** undefined: no such job. Else its manifest, or how far it is. */
  state (id: string, base: string): { readonly manifest: unknown } | { readonly progress: string } | undefined {
    const job = this.#jobs.get(id)
    if (job === undefined) return undefined
    if (job.polls++ < this.#pollsUntilDone) return { progress: `${job.polls} of ${this.#pollsUntilDone}` }
    const output = job.types.flatMap(type => Array.from({ length: Math.ceil(this.#of(job, type).length / LINES_A_FILE) }, (_, n) => ({ type, url: `${base}/$file/${id}/${type}/${n}` })))
    const deleted = this.#deleted(job).length === 0 ? [] : [{ type: 'Bundle', url: `${base}/$file/${id}/deleted/0` }]
    return { manifest: { transactionTime: new Date(job.time).toISOString(), request: `${base}/$export`, requiresAccessToken: true, output, deleted, error: [{ type: 'OperationOutcome', url: `${base}/$file/${id}/error/0` }] } }
  }

  file (id: string, type: string, n: number): string | undefined {
    const job = this.#jobs.get(id)
    if (job === undefined) return undefined
    const line = (value: unknown): string => `${JSON.stringify(value)}\n`
    if (type === 'error') return line({ resourceType: 'OperationOutcome', issue: [{ severity: this.severity, code: 'incomplete', diagnostics: 'Jane Doe was left out' }] })
    if (type === 'deleted') return this.#deleted(job).map(one => line({ resourceType: 'Bundle', type: 'transaction', entry: [{ request: { method: 'DELETE', url: `${one.type}/${one.id}` } }] })).join('')
    return this.#of(job, type).slice(n * LINES_A_FILE, (n + 1) * LINES_A_FILE).map(one => line(one.resource)).join('')
  }

  discard (id: string): boolean { this.discarded.push(id); return this.#jobs.delete(id) }
  #of (job: Job, type: string): readonly Version[] { return this.#store.of(type).filter(one => one.at >= job.since && one.at <= job.time) }
  #deleted (job: Job): readonly Version[] { return this.#store.versions.filter(one => one.resource === undefined && one.at >= job.since && one.at <= job.time && job.since > -Infinity) }
}
