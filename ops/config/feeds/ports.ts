import type { FeedFault } from './fault.ts'

/** Where a feed listens, and the line of its file that says so. */
export interface Listens { readonly host: string, readonly port: number, readonly line: number }

type Place = Omit<Listens, 'line'>

/** Of the kinds that come along, where one with these options listens. Of a kind of a user's own nobody knows: its start tells. */
const LISTENS: Readonly<Record<string, (options: never) => Place | undefined>> = {
  hl7: (options: Place) => options,
  mqtt: (options: Place) => options,
  telemedicine: (options: Place) => options,
}

/** undefined: nowhere, or on any port that is free. */
export function listensAt (kind: string, options: unknown): Place | undefined {
  const place = LISTENS[kind]?.(options as never)
  return place === undefined || place.port === 0 ? undefined : { host: place.host, port: place.port }
}

/** Feeds that would take each other's port, each told at the later one by name. */
export function portFaults (feeds: readonly { readonly name: string, readonly listens?: Listens }[]): readonly FeedFault[] {
  return feeds.flatMap(({ name, listens }, at) => {
    const other = listens === undefined ? undefined : feeds.slice(0, at).find(one => one.listens !== undefined && collide(one.listens, listens))
    return other === undefined ? [] : [{ file: `${name}.json`, line: listens!.line, why: `options.port: port ${listens!.port} is that of ${other.name}.json already; each feed needs one of its own` }]
  })
}

/** Two addresses of this machine may have the same port each; "any address" is all of them. */
function collide (a: Listens, b: Listens): boolean { return a.port === b.port && (a.host === b.host || isAny(a.host) || isAny(b.host)) }

function isAny (host: string): boolean { return host === '0.0.0.0' || host === '::' }
