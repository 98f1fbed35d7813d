import type { Resource, Store, Version } from './store.ts'

/** Current versions that a query finds, in its order. Parameters that it does not know find nothing, so that a test sees them. */
export function find (store: Store, type: string, query: URLSearchParams): readonly Version[] {
  const found = store.of(type).filter(one => [...query].every(([name, value]) => matches(one, name, value)))
  const sort = query.get('_sort')
  if (sort === '_lastUpdated') return found.toSorted((a, b) => a.at - b.at)
  if (sort === '-_lastUpdated') return found.toSorted((a, b) => b.at - a.at)
  return found
}

/** Versions and deletions of a type, newest first. */
export function history (store: Store, type: string, id: string | undefined, since: string | null): readonly Version[] {
  const from = since === null ? -Infinity : Date.parse(since)
  return store.versions.filter(one => one.type === type && (id === undefined || one.id === id) && one.at >= from).toReversed()
}

function matches (version: Version, name: string, value: string): boolean {
  const resource = version.resource!
  switch (name) {
    case '_count': case '_sort': case '_summary': return true
    case '_id': return version.id === value
    case '_lastUpdated': return compare(version.at, value)
    case 'patient': return reference(resource) === `Patient/${value}`
    case 'category': return JSON.stringify(resource['category'] ?? []).includes(`"${value}"`)
    case 'status': return resource['status'] === value
    case 'intent': return resource['intent'] === value
    case 'date': return compare(Date.parse(String(resource['effectiveDateTime'] ?? (resource['period'] as { start?: string } | undefined)?.start ?? '')), value)
    default: return false
  }
}

function reference (resource: Resource): string | undefined { return ((resource['subject'] ?? resource['patient']) as { reference?: string } | undefined)?.reference }

function compare (at: number, value: string): boolean {
  const prefix = /^(ge|gt|le|lt)/.exec(value)?.[1] ?? 'eq'
  const limit = Date.parse(value.replace(/^(ge|gt|le|lt)/, ''))
  return prefix === 'ge' ? at >= limit : prefix === 'gt' ? at > limit : prefix === 'le' ? at <= limit : prefix === 'lt' ? at < limit : at === limit
}
