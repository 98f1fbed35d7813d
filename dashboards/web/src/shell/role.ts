import { useStored } from './stored.ts'

/** In whose role this screen acknowledges; a role, never a name. */
export const ROLES = ['nurse', 'charge-nurse', 'doctor', 'rapid-response'] as const

export function useRole (): readonly [string, (role: string) => void] { return useStored('latido.role', 'nurse') }
