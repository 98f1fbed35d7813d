import type { EventTimeMs } from '../../streams/time/index.ts'
import type { MappedEvent, SourceIdentity } from '../kit/index.ts'
import { isFault, momentOf, type Hl7Context } from './context.ts'
import { eventPlaces } from './encounter.ts'
import type { Mapped, RefusedRow } from './mapped.ts'
import type { Message } from './message.ts'
import { faultAt, note, type Hl7Fault } from './outcome.ts'
import { identityOf, losersOf } from './patient.ts'
import type { Segment } from './segment.ts'

/**
 * MRG-1 goes into PID-3. A40 says so of identifiers (and may say it of several pairs), A18 and A34 are its older forms, A36 says it of an account too, A30 of
 * a person; A47 changes an identifier: whatever stood under the old one is the new one's, which is the same thing here. A pair that cannot be read is refused alone.
 */
export function mapMerges (message: Message, context: Hl7Context): Mapped {
  const merged = new Map<string, string>()
  return overPairs(message, context, ({ mrg }, pairing, eventTime) => {
    const pair = closesCircle(pairing, merged, mrg)
    if (isFault(pair)) return pair
    if (pair.losers.length === 0) note(context.notices, 'merge-of-itself')
    return pair.losers.map((id): MappedEvent => {
      merged.set(id, pair.survivor.id)
      return { patient: { id }, event: { type: 'merge', survivor: pair.survivor, eventTime, source: context.source } }
    })
  })
}

/** What each PID and MRG of the message become. `unnamed`: whom an empty MRG-1 means. */
export function overPairs (message: Message, context: Hl7Context, eventsOf: (pair: Pair, pairing: Pairing, eventTime: EventTimeMs) => readonly MappedEvent[] | Hl7Fault, unnamed: 'fault' | 'own' = 'fault'): Mapped {
  const { notices } = context
  const evn = message.segments.find(segment => segment.name === 'EVN')
  const moment = momentOf(eventPlaces(evn), context)
  if (moment !== undefined && isFault(moment)) return { kind: 'rejected', fault: moment, notices }
  if (moment === undefined) note(notices, 'time-missing')
  const events: MappedEvent[] = []
  const refused: RefusedRow[] = []
  const pairs = pairsOf(message)
  for (const pair of pairs) {
    const pairing = readPair(pair, context, unnamed)
    const outcome = isFault(pairing) ? pairing : eventsOf(pair, pairing, moment?.at ?? context.now)
    if (isFault(outcome)) refused.push(refusedPair(pair, evn, outcome)); else events.push(...outcome)
  }
  const [first] = refused
  if (first !== undefined && refused.length === pairs.length) return { kind: 'rejected', fault: first.fault, notices }
  return { kind: 'mapped', events, refused, archived: events.length === 0 && refused.length === 0, notices }
}

function refusedPair ({ pid, mrg, pv1 }: Pair, evn: Segment | undefined, fault: Hl7Fault): RefusedRow {
  const numbers = (segments: readonly (Segment | undefined)[]): number[] => segments.flatMap(one => one === undefined ? [] : [one.number])
  return { fault, rows: numbers([mrg ?? pid]), needs: numbers([evn, mrg === undefined ? undefined : pid, pv1]) }
}

/** `losers`: who MRG-1 names that PID-3 does not. */
export interface Pairing { readonly losers: readonly string[], readonly survivor: SourceIdentity }
/** `pv1`: the one behind MRG. */
export interface Pair { readonly pid: Segment | undefined, readonly mrg: Segment | undefined, readonly pv1: Segment | undefined }

/** PID, then its MRG, of which there may be several; a PID without one stands alone, and is a fault. */
function pairsOf (message: Message): readonly Pair[] {
  const pairs: { pid: Segment | undefined, mrg: Segment | undefined, pv1: Segment | undefined }[] = []
  let pid: Segment | undefined
  let paired = true
  for (const segment of message.segments) {
    if (segment.name === 'PID') { if (!paired) pairs.push({ pid, mrg: undefined, pv1: undefined }); pid = segment; paired = false }
    if (segment.name === 'MRG') { pairs.push({ pid, mrg: segment, pv1: undefined }); paired = true }
    const last = pairs.at(-1)
    if (segment.name === 'PV1' && paired && last !== undefined) last.pv1 ??= segment
  }
  if (!paired || pairs.length === 0) pairs.push({ pid, mrg: undefined, pv1: undefined })
  return pairs
}

function readPair ({ pid, mrg }: Pair, context: Hl7Context, unnamed: 'fault' | 'own'): Pairing | Hl7Fault {
  if (pid === undefined) return faultAt('patient-missing', { name: 'PID', number: 0 }, 3)
  const survivor = identityOf(pid, context)
  if (survivor.kind !== 'patient') return survivor.kind === 'fault' ? survivor.fault : faultAt('patient-missing', pid, 3)
  if (mrg === undefined || !Array.from({ length: mrg.repetitions(1) }, (_, i) => mrg.said(1, 1, i)).some(id => id !== '')) return mrg !== undefined && unnamed === 'own' ? { losers: [], survivor: survivor.identity } : faultAt('patient-missing', mrg ?? { name: 'MRG', number: 0 }, 1)
  const losers = losersOf(mrg, pid, context)
  if (losers === undefined) return faultAt('patient-missing', mrg, 1, 'has no identifier of a configured authority')
  return { losers, survivor: survivor.identity }
}

/** Pairs of one message are published at the same moment, so a circle among them is found here; one over several messages is the intake's to find. */
function closesCircle (pair: Pairing, merged: ReadonlyMap<string, string>, mrg: Segment | undefined): Pairing | Hl7Fault {
  if (mrg === undefined) return pair
  for (let at: string | undefined = pair.survivor.id; at !== undefined; at = merged.get(at)) {
    if (pair.losers.includes(at)) return faultAt('merge-loop', mrg, 1, 'would close a circle of identifiers')
  }
  return pair
}
