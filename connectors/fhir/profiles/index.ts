/** What vendors' servers can do: defaults of a feed's options. */
import { generic } from './generic.ts'
import type { FhirProfile } from './profile.ts'
import { epic, oracleHealth, veradigm } from './vendors.ts'

export type { FhirProfile } from './profile.ts'

export const PROFILE_NAMES = ['generic', 'epic', 'oracle-health', 'veradigm'] as const
export type ProfileName = (typeof PROFILE_NAMES)[number]

/** By name. */
export const PROFILES: Readonly<Record<ProfileName, FhirProfile>> = { generic, epic, 'oracle-health': oracleHealth, veradigm }
