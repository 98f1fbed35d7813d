import type { EncounterAction, Sex } from '../../../streams/events/index.ts'
import type { EventTimeMs } from '../../../streams/time/index.ts'
import type { Encounter, EncounterLocation, Patient } from 'fhir/r4.js'
import { ageAt } from '../../hl7/index.ts'
import { note } from '../../kit/index.ts'
import { birthDateOf } from './identity.ts'
import { placeOf, type Place } from './place.ts'
import { ARCHIVED, isFault, plausible, refused, type Scope, type Told } from './scope.ts'
import { parseTime } from './time.ts'
import { list, text } from './types.ts'

/** v3-ActCode: stays in a bed. Ambulatory, home and virtual encounters move nobody. */
const STAYS: ReadonlySet<string> = new Set(['IMP', 'ACUTE', 'NONAC', 'EMER', 'OBSENC', 'SS'])
/** The patient is there. */
const PRESENT: ReadonlySet<string> = new Set(['arrived', 'triaged', 'in-progress', 'onleave'])

/**
 * An encounter is a state; what happened is the difference to the version that was seen before, which whoever reads a server puts beside it. Without one:
 * a patient who is there in a first place was admitted, in a later one transferred, and a finished encounter is a discharge.
 */
export function encounter (resource: Encounter, scope: Scope, subject: Patient | undefined): Told {
  if (!STAYS.has(text(resource.class?.code))) return ARCHIVED
  const previous = scope.previous(resource)
  const before = previous?.resourceType === 'Encounter' && !scope.deleted ? previous : undefined
  const action = actionOf(resource, before, scope)
  if (action === undefined) return ARCHIVED
  const now = action === 'discharge' ? undefined : current(resource)
  const time = timeOf(action, resource, now, scope)
  if (isFault(time)) return refused(resource, time)
  const place: Place = now === undefined ? { ward: '', bed: '' } : placeOf(now, resource, scope)
  const birthDate = subject === undefined ? undefined : birthDateOf(subject)
  return {
    events: [{
      type: 'encounter', action, eventTime: time, source: scope.source, ...place, ageYears: ageAt(birthDate, time), sex: sexOf(subject), hoursSinceHospitalAdmission: action === 'admit' || action === 'transfer' ? hoursBefore(resource, time, scope) : -1,
    }],
  }
}

function actionOf (resource: Encounter, before: Encounter | undefined, scope: Scope): EncounterAction | undefined {
  const status = scope.deleted ? 'entered-in-error' : text(resource.status)
  const wasThere = before === undefined ? undefined : PRESENT.has(text(before.status))
  if (PRESENT.has(status)) {
    if (wasThere !== true) return before === undefined && list(resource.location).filter(one => one.status !== 'planned').length > 1 ? 'transfer' : 'admit'
    return samePlace(current(before!), current(resource)) ? 'update' : 'transfer'
  }
  if (status === 'finished') return wasThere === false && text(before?.status) === 'finished' ? undefined : 'discharge'
  if (status !== 'cancelled' && status !== 'entered-in-error') { note(scope.notices, 'encounter-planned'); return undefined }
  // Cancelled before anybody came: the patient may well lie in a bed by another encounter.
  return wasThere ?? list(resource.statusHistory).some(one => PRESENT.has(text(one.status))) ? 'discharge' : undefined
}

function samePlace (a: EncounterLocation | undefined, b: EncounterLocation | undefined): boolean { return text(a?.location?.reference) === text(b?.location?.reference) }

/** Where the patient is: the active place, else the last that did not end, else the last. Planned and reserved ones are not yet. */
function current (resource: Encounter): EncounterLocation | undefined {
  const real = list(resource.location).filter(one => one.status !== 'planned' && one.status !== 'reserved')
  const active = real.filter(one => one.status === 'active')
  const open = real.filter(one => one.status !== 'completed' && one.period?.end === undefined)
  return (active.length > 0 ? active : open.length > 0 ? open : real).toSorted((a, b) => compare(text(a.period?.start), text(b.period?.start))).at(-1)
}

function compare (a: string, b: string): number { return a < b ? -1 : a > b ? 1 : 0 }

function timeOf (action: EncounterAction, resource: Encounter, now: EncounterLocation | undefined, scope: Scope): EventTimeMs | ReturnType<typeof plausible> {
  const places = action === 'discharge' ? [resource.period?.end] : action === 'admit' ? [resource.period?.start, now?.period?.start] : [now?.period?.start]
  for (const place of places) {
    const parsed = parseTime(place, scope.mapping.zone)
    if (parsed.kind !== 'empty') return plausible(parsed, 'Encounter.period', scope, 'refused')
  }
  note(scope.notices, 'time-missing')
  return scope.now
}

const HOUR_MS = 3_600_000

function hoursBefore (resource: Encounter, at: EventTimeMs, scope: Scope): number {
  const admitted = parseTime(resource.period?.start, scope.mapping.zone)
  return admitted.kind === 'time' && admitted.start <= at ? (at - admitted.start) / HOUR_MS : -1
}

/** R4 AdministrativeGender has the same words. */
export function sexOf (patient: Patient | undefined): Sex {
  const said = text(patient?.gender)
  return said === 'female' || said === 'male' || said === 'other' ? said : 'unknown'
}
