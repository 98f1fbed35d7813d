import fc from 'fast-check'
import { ENCOUNTER_ACTIONS, type BedsideEvent, type ConceptId, type EncounterAction, type ObservationKind, type PatientKey } from '../../../../streams/events/index.ts'
import { arrivals } from '../../compute/lattice.ts'
import { Ledger, type Asked, type Told } from './kit.ts'

const HOUR_MS = 3_600_000

function encounter (action: EncounterAction, at: number, age: number): BedsideEvent {
  return { type: 'encounter', action, eventTime: at - 60_000, source: 'test', ward: 'W', bed: '1', ageYears: age > 2 ? 40 + age : -1, sex: age > 4 ? 'female' : 'unknown', hoursSinceHospitalAdmission: age > 6 ? age : -1 }
}

interface Extra { readonly pause: number, readonly told: EncounterAction | undefined, readonly age: number, readonly fault: number }
/** Pauses after which a departed patient is forgotten, exactly a day among them; encounters between; now and then a clock that runs ahead or within a quarter of a second. */
const extra: fc.Arbitrary<Extra> = fc.record({
  pause: fc.oneof({ weight: 14, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(HOUR_MS, 13 * HOUR_MS, 24 * HOUR_MS, 25 * HOUR_MS, 50 * HOUR_MS) }),
  told: fc.oneof({ weight: 8, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.constantFrom(...ENCOUNTER_ACTIONS) }),
  age: fc.nat(9),
  fault: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(90_000, 120, -130, 249) }),
})

export interface StoryOptions { readonly kinds: readonly ObservationKind[], readonly identities: number, readonly records: number, readonly pauses: boolean }

/** What is told of one patient. */
export function story (concepts: readonly ConceptId[], { kinds, identities, records, pauses }: StoryOptions): fc.Arbitrary<readonly Omit<Told, 'patient'>[]> {
  return arrivals({ concepts, kinds, identities, records }).chain(arrived => fc.array(extra, { minLength: arrived.length, maxLength: arrived.length }).map(extras => {
    let later = 0
    return arrived.flatMap(({ arrival, set }, i) => {
      const { pause, told, age, fault } = extras[i]!
      if (pauses) later += pause
      const at = arrival + later
      const event: BedsideEvent = { ...set, observations: set.observations.map(o => ({ ...o, eventTime: o.eventTime + later + fault })) }
      return told === undefined || !pauses ? [{ arrival: at, event }] : [{ arrival: at, event: encounter(told, at, age) }, { arrival: at, event }]
    })
  }))
}

export interface Drawn { readonly ledger: Ledger, readonly spine: readonly Asked[] }

/** Patients under names that begin with `prefix`; each record asks what is known through it, and what is known some time after. */
export function patients (prefix: string, stories: readonly (readonly Omit<Told, 'patient'>[])[]): Drawn {
  const ledger = new Ledger()
  const spine: Asked[] = []
  stories.forEach((told, i) => { for (const t of told) tell(ledger, spine, { ...t, patient: `${prefix}${i}` }) })
  return { ledger, spine }
}

function tell (ledger: Ledger, spine: Asked[], told: Told): void {
  const { patient, arrival } = told
  ledger.tell(told)
  if (told.event.type === 'merge') return
  spine.push({ patient, asOf: arrival, through: ledger.steps.at(-1)!.offset + 1 })
  if (ledger.steps.length % 3 === 0) spine.push({ patient, asOf: arrival + 20_000, through: -1 })
}

/** Two stories of one person under two keys, merged at some time (a millisecond off the lattice), and what comes after under both. */
export function merged (prefix: string, pairs: readonly (readonly [readonly Omit<Told, 'patient'>[], readonly Omit<Told, 'patient'>[], number])[]): Drawn {
  const ledger = new Ledger()
  const spine: Asked[] = []
  pairs.forEach(([mine, theirs, share], i) => {
    const [survivor, loser] = [`${prefix}${i}survivor`, `${prefix}${i}loser`]
    const all = [...mine.map(t => ({ ...t, patient: survivor })), ...theirs.map(t => ({ ...t, patient: loser }))].sort((a, b) => a.arrival - b.arrival || a.patient.localeCompare(b.patient))
    const at = all[Math.floor(share * (all.length - 1))]!.arrival + 1
    const rest = all.findIndex(t => t.arrival > at)
    const before = rest < 0 ? all : all.slice(0, rest)
    for (const t of before) tell(ledger, spine, t)
    tell(ledger, spine, { patient: loser, arrival: at, event: { type: 'merge', survivor: survivor as PatientKey, eventTime: at, source: 'test' } })
    // Nobody asks for the loser afterwards.
    spine.splice(0, spine.length, ...spine.filter(asked => asked.patient !== loser || asked.asOf < at), { patient: survivor, asOf: at, through: -1 })
    for (const t of rest < 0 ? [] : all.slice(rest)) {
      // Within one millisecond the order of two partitions is nobody's: what comes after the merge comes apart.
      const apart = { ...t, arrival: t.arrival + (t.patient === loser ? 7 : 0) }
      ledger.tell(apart)
      spine.push({ patient: survivor, asOf: apart.arrival, through: -1 })
    }
  })
  return { ledger: inOrder(ledger), spine }
}

/** The steps of a ledger by arrival; offsets rise with it already. */
function inOrder (ledger: Ledger): Ledger { ledger.steps.sort((a, b) => a.arrival - b.arrival); return ledger }
