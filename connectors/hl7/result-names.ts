import type { MapContext, ResultName } from '../kit/index.ts'
import { contextOf, isFault, momentOf } from './context.ts'
import { readHeader } from './header.ts'
import { HL7_LIMITS } from './limits.ts'
import { typeOf } from './map.ts'
import { parseMessage, type MessageLimits } from './message.ts'
import { resultIdOf } from './observation.ts'
import { identityOf } from './patient.ts'
import { HL7_PROFILE, type Hl7Profile } from './profile.ts'
import { isDeviceMessage, step, type Around } from './results.ts'
import { handlingOf } from './types.ts'

/** The results that a message speaks of, whether they can be mapped or not: as its corrections will name them. None of a device message, whose rows have no identity. */
export function resultNamesIn (raw: Buffer, kit: MapContext, profile: Hl7Profile = HL7_PROFILE, limits: MessageLimits = HL7_LIMITS): readonly ResultName[] {
  const header = readHeader(raw)
  const parsed = header === undefined ? undefined : parseMessage(raw, header, limits)
  if (parsed?.kind !== 'ok') return []
  const { message } = parsed
  const { type, trigger } = typeOf(message)
  const handling = handlingOf(type, trigger)
  if (handling !== 'results' && handling !== 'specimen-results' || isDeviceMessage(message)) return []
  const context = contextOf(message, kit, profile)
  const names: ResultName[] = []
  let patient: string | undefined
  let around: Around = {}
  for (const segment of message.segments) {
    if (segment.name === 'PID') {
      const found = identityOf(segment, context)
      patient = found.kind === 'patient' ? found.identity.id : undefined
      around = {}
    }
    step(around, segment, type, handling === 'specimen-results')
    if (segment.name !== 'OBX') continue
    const { obr, orc, spm } = around
    const moment = momentOf([{ segment, field: 14 }, { segment: obr, field: 7 }, { segment: spm, field: 17 }], context)
    if (moment !== undefined && !isFault(moment)) names.push({ patient, resultId: resultIdOf({ obx: segment, obr, orc }, moment.stated) })
  }
  return names.filter(({ resultId }) => resultId !== '')
}
