import type { Laboratory, Vital, Episode } from './courses.ts'
import type { Random } from './random.ts'

/** Invented; some letters outside ASCII, as in any ward. */
const FAMILY_NAMES = ['Alder', 'Birchwood', 'Castaño', 'Dolmen', 'Estuary', 'Fernández-Roca', 'Gorse', 'Heather', 'Islet', 'Juncosa', 'Kestrel', 'Larkspur', 'Müller-Tal', 'Niebla', 'Ørsted-Vik', 'Peñalba', 'Quarry', 'Rowan', 'Saltmarsh', 'Thistle'] as const
const GIVEN_NAMES = { F: ['Ada', 'Brígida', 'Clara', 'Dora', 'Elvira', 'Frida', 'Greta', 'Hilda', 'Inés', 'Jutta'], M: ['Anselm', 'Bruno', 'Cosme', 'Dario', 'Emil', 'Fermín', 'Gil', 'Hugo', 'Ivo', 'Jonás'] } as const

export interface Person {
  /** `SIM-0001` */
  readonly id: string
  readonly family: string
  readonly given: string
  readonly sex: 'F' | 'M'
  /** `YYYYMMDD` */
  readonly birthDate: string
  readonly vitals: Readonly<Record<Vital, number>>
  readonly labs: Readonly<Record<Laboratory, number>>
  /** Simulated milliseconds. */
  readonly admittedMs: number
  readonly episodes: Episode[]
  readonly random: Random
}

const YEAR_MS = 365.2425 * 86_400_000

export function newPerson (number: number, nowMs: number, admittedMs: number, random: Random): Person {
  const sex = random.pick(['F', 'M'] as const)
  const ageYears = random.between(34, 88)
  const near = (mean: number, spread: number): number => mean + spread * Math.max(-2, Math.min(2, random.normal()))
  return {
    id: `SIM-${String(number).padStart(4, '0')}`,
    family: random.pick(FAMILY_NAMES), given: random.pick(GIVEN_NAMES[sex]), sex,
    birthDate: new Date(nowMs - ageYears * YEAR_MS).toISOString().slice(0, 10).replaceAll('-', ''),
    vitals: { heartRate: near(74, 6), respiratoryRate: near(15, 1.2), spo2: near(97, 0.6), systolic: near(128, 7), diastolic: near(74, 4), temperature: near(36.8, 0.12) },
    labs: {
      lactate: near(1.1, 0.2), creatinine: near(sex === 'F' ? 0.8 : 0.95, 0.1), ureaNitrogen: near(15, 3), wbc: near(7.5, 1.2), platelets: near(245, 35), bilirubin: near(0.7, 0.15),
      glucose: near(112, 14), bicarbonate: near(24.5, 1.2), hemoglobin: near(sex === 'F' ? 12.6 : 13.8, 0.7), potassium: near(4.1, 0.2), sodium: near(139, 1.8),
    },
    admittedMs, episodes: [], random,
  }
}
