import type { StatementStatus } from '../../streams/events/index.ts'
import { codesIn } from './code.ts'
import { isFault, momentOf, type Hl7Context } from './context.ts'
import { locationOf } from './encounter.ts'
import type { Mapped } from './mapped.ts'
import type { Message } from './message.ts'
import { faultAt, note } from './outcome.ts'
import { identityOf } from './patient.ts'
import type { Segment } from './segment.ts'
import { statement, statementCode, statementId, type StatementCode } from './statement.ts'

/** IEEE 11073-10101 codes of an alarm's facets, and of "an alarm" whose own code is its value (IHE PCD TF-2, PCD-04). */
const FACETS: Readonly<Record<string, 'phase' | 'state' | 'inactivation' | 'priority' | 'type'>> = { 68481: 'phase', 68482: 'state', 68483: 'inactivation', 68484: 'priority', 68485: 'type' }
const ALARM = '196616'
/** PI: information; none: no alarm. */
const PRIORITIES: Readonly<Record<string, number>> = { PH: 3, PM: 2, PL: 1, PI: 0 }

interface Alarm { readonly obr: Segment, code?: StatementCode, head?: Segment, readonly facets: Map<string, string> }

/**
 * ORU^R40 (IHE PCD-04): an alarm of another device becomes a statement of kind `device`, not an observation and not an alert of ours. Its values come by PCD-01
 * as well and would count twice, and an alert is what our rules find; but that a lead is off explains why values are missing, and stays known.
 * An alarm without a code, or of nobody known, is kept in the archive.
 */
export function mapAlarm (message: Message, context: Hl7Context): Mapped {
  const { notices } = context
  const find = (name: string): Segment | undefined => message.segments.find(segment => segment.name === name)
  const [pid, pv1] = [find('PID'), find('PV1')]
  const found = pid === undefined ? { kind: 'nobody' as const } : identityOf(pid, context)
  if (found.kind === 'fault') return { kind: 'rejected', fault: found.fault, notices }
  const events: Extract<Mapped, { kind: 'mapped' }>['events'][number][] = []
  for (const alarm of alarmsOf(message)) {
    const at = momentOf([{ segment: alarm.head, field: 14 }, { segment: alarm.obr, field: 7 }], context)
    if (at !== undefined && isFault(at)) return { kind: 'rejected', fault: at, notices }
    const eventTime = at?.at ?? context.now
    const bed = locationOf(pv1)
    const lying = found.kind === 'nobody' && context.profile.patientByBed && bed.bed !== '' ? context.patientInBed(bed.ward, bed.bed, eventTime) : undefined
    const patient = found.kind === 'patient' ? found.identity : lying === undefined ? undefined : { id: lying }
    if (alarm.code === undefined) { note(notices, 'alarms-without-code'); continue }
    if (patient === undefined) return { kind: 'rejected', fault: faultAt('device-unmapped', pv1 ?? { name: 'PV1', number: 0 }, 3), notices }
    const priority = alarm.facets.get('priority')?.toUpperCase() ?? ''
    events.push({
      patient,
      event: statement({ kind: 'device', statementId: statementId(alarm.obr.said(3) || alarm.obr.said(2), alarm.code.code), status: statusOf(alarm), code: alarm.code, eventTime, value: PRIORITIES[priority] ?? NaN }, context),
    })
  }
  return { kind: 'mapped', events, refused: [], archived: events.length === 0, notices }
}

/** One alarm an OBR: its first row that is no head and no facet names it. */
function alarmsOf ({ segments }: Message): readonly Alarm[] {
  const alarms: Alarm[] = []
  for (const segment of segments) {
    if (segment.name === 'OBR') alarms.push({ obr: segment, facets: new Map() })
    const alarm = alarms.at(-1)
    if (segment.name !== 'OBX' || alarm === undefined) continue
    const facet = FACETS[segment.said(3, 1)]
    if (facet !== undefined) alarm.facets.set(facet, segment.said(5, 1))
    else if (alarm.head === undefined && segment.said(11).toUpperCase() !== 'X') {
      alarm.head = segment
      const code = segment.said(3, 1) === ALARM && codesIn(segment, 5).length > 0 ? statementCode(segment, 5) : statementCode(segment, 3)
      if (code !== undefined) alarm.code = code
    }
  }
  return alarms
}

/** State says whether the condition holds, phase what just happened to it (table PCD-04 B.8.5): an alarm that ended is inactive. */
function statusOf ({ facets }: Alarm): StatementStatus {
  const [state, phase] = [facets.get('state')?.toLowerCase(), facets.get('phase')?.toLowerCase()]
  if (phase === 'end' || phase === 'reset' || phase === 'present-end') return 'completed'
  return state === 'inactive' || state === 'off' ? 'inactive' : 'active'
}
