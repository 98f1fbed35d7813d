import { z } from 'zod'

/** What a feed may say of how its sender speaks HL7 v2, beside codes, units, zone, site and namespaces (the feed's mapping). */
export interface Hl7Profile {
  /** Types of identifier (table 0203), best first, where no namespaces are configured; an identifier of none of them comes after, as sent. */
  readonly identifierTypes: readonly string[]
  /** Where a patient's identifier may stand when PID-3 is empty: PID-2 (external), PID-4 (alternate), as HL7 before 2.3.1 and some monitors have it. */
  readonly identifierFallback: readonly ('PID-2' | 'PID-4')[]
  /** A device message without any identifier is of whoever lies in the bed of PV1-3. */
  readonly patientByBed: boolean
  /** What MSH-11 may say (table 0103): P production, T training, D debugging. Empty is taken. What a school of nurses practises is of no patient. */
  readonly processingIds: readonly ('P' | 'T' | 'D')[]
  /** How far an event time may lead arrival (clock skew), in milliseconds; beyond it the value is refused. */
  readonly futureToleranceMs: number
  /** An event time before this day is of a clock that was never set; ISO date. */
  readonly earliest: string
}

/** Every default. */
export const HL7_PROFILE: Hl7Profile = { identifierTypes: ['MR', 'PI'], identifierFallback: [], patientByBed: true, processingIds: ['P'], futureToleranceMs: 300_000, earliest: '2000-01-01' }

/** For a feed's `options.profile`. */
export const hl7ProfileSchema: z.ZodType<Hl7Profile> = z.strictObject({
  identifierTypes: z.array(z.string().min(1).max(20)).max(16).default([...HL7_PROFILE.identifierTypes]),
  identifierFallback: z.array(z.enum(['PID-2', 'PID-4'])).max(2).default([...HL7_PROFILE.identifierFallback]),
  patientByBed: z.boolean().default(HL7_PROFILE.patientByBed),
  processingIds: z.array(z.enum(['P', 'T', 'D'])).min(1).max(3).default([...HL7_PROFILE.processingIds]),
  futureToleranceMs: z.number().int().min(0).max(86_400_000).default(HL7_PROFILE.futureToleranceMs),
  earliest: z.iso.date().default(HL7_PROFILE.earliest),
})
