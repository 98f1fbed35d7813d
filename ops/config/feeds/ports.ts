import type { FeedFault } from './fault.ts'

export interface Address { readonly host: string, readonly port: number }

/** Where a feed listens, and the option and the line of its file that say so. */
export interface Listens extends Address { readonly option: string, readonly line: number }

/** Feeds that would take each other's port, each told at the later one by name; and those that would take the dashboards'. */
export function portFaults (feeds: readonly { readonly name: string, readonly listens?: Listens }[], dashboards: Address): readonly FeedFault[] {
  return feeds.flatMap(({ name, listens }, at) => {
    if (listens === undefined) return []
    const other = feeds.slice(0, at).find(one => one.listens !== undefined && collide(one.listens, listens))
    if (other === undefined && !collide(dashboards, listens)) return []
    const whose = other === undefined ? 'the pages and the API (--http-port)' : `${other.name}.json`
    return [{ file: `${name}.json`, line: listens.line, why: `${listens.option}: port ${listens.port} is that of ${whose} already; each feed needs one of its own` }]
  })
}

/** Two addresses of this machine may have the same port each; "any address" is all of them. */
function collide (a: Address, b: Address): boolean { return a.port === b.port && (a.host === b.host || isAny(a.host) || isAny(b.host)) }

function isAny (host: string): boolean { return host === '0.0.0.0' || host === '::' }
