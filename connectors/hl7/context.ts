import type { EventTimeMs } from '../../streams/time/index.ts'
import type { MapContext } from '../kit/index.ts'
import type { Message } from './message.ts'
import { faultAt, note, type Hl7Fault, type Notices } from './outcome.ts'
import type { Hl7Profile } from './profile.ts'
import type { Segment } from './segment.ts'
import { offsetOf, parseTime, type ParsedTime, type TimeDefaults } from './time.ts'

/** What a message is read with: the feed's mapping and profile, and what is counted on the way. */
export interface Hl7Context extends MapContext {
  readonly profile: Hl7Profile
  readonly times: TimeDefaults
  readonly readTime: (text: string) => ParsedTime
  /** Event times before this are of a clock that was never set. */
  readonly earliest: EventTimeMs
  /** What stands in the records of this message. */
  readonly source: string
  readonly notices: Notices
}

export function contextOf (message: Message, kit: MapContext, profile: Hl7Profile): Hl7Context {
  const times: TimeDefaults = { zone: kit.mapping.zone, messageOffsetMinutes: offsetOf(message.msh.said(7)) }
  return {
    now: kit.now, mapping: kit.mapping, patientInBed: kit.patientInBed, unmapped: kit.unmapped, profile,
    times,
    readTime: timeReader(times),
    earliest: Date.parse(profile.earliest),
    source: sourceOf(message.msh),
    notices: new Map(),
  }
}

/** Remembers the last: the rows of an order mostly state one time, which is theirs together. */
function timeReader (times: TimeDefaults): (text: string) => ParsedTime {
  let [last, read]: [string, ParsedTime] = ['', { kind: 'empty' }]
  return text => {
    if (text !== last) [last, read] = [text, parseTime(text, times)]
    return read
  }
}

/** `hl7:` and the sending application, or facility, as a short plain word. */
export function sourceOf (msh: Segment): string { return `hl7:${plainWord(msh.said(3) || msh.said(4)) || 'unnamed'}` }

/** Lower case, without what a label or a path could not hold; at most 40 characters. */
export function plainWord (text: string): string { return text.toLowerCase().replace(/[^a-z0-9._-]+/g, '-').slice(0, 40) }

/** `at`: never after now. `stated`: as sent. */
export interface Moment { readonly at: EventTimeMs, readonly stated: EventTimeMs }

export interface Place { readonly segment: Segment | undefined, readonly field: number }

/**
 * The first of the places that states a time. Ahead of the log by no more than the tolerance it is clock skew and becomes the log's; further
 * ahead, before the earliest that can be, or less precise than a day, it is refused. undefined: none states one.
 */
export function momentOf (places: readonly Place[], context: Hl7Context): Moment | Hl7Fault | undefined {
  const { now, notices, profile } = context
  for (const { segment, field } of places) {
    if (segment === undefined) continue
    const parsed = context.readTime(segment.said(field))
    if (parsed.kind === 'empty') continue
    if (parsed.kind === 'unparsable' || parsed.precision === 'year' || parsed.precision === 'month') return faultAt('time-unparsable', segment, field)
    if (parsed.start > now + profile.futureToleranceMs) return faultAt('time-in-future', segment, field)
    if (parsed.start < context.earliest) return faultAt('time-implausible', segment, field)
    if (parsed.precision === 'day' || parsed.precision === 'hour') note(notices, 'time-imprecise')
    if (parsed.start > now) note(notices, 'time-clamped')
    return { at: Math.min(parsed.start, now), stated: parsed.start }
  }
  return undefined
}

export function isFault<T extends object> (outcome: T | Hl7Fault): outcome is Hl7Fault { return 'cause' in outcome }
