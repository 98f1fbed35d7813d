/** Pseudonyms, identities, keys. */
export { IdentityVault } from './vault.ts'
export type { VaultOptions } from './vault.ts'
