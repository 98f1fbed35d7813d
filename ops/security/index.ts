/** Pseudonyms, identities, keys. */
export { IdentityVault, pseudonymWith } from './vault.ts'
export type { Learned, VaultOptions } from './vault.ts'
/** Secrets and certificates that options name by their files. */
export { secretAt } from './secret-refs.ts'
export { fileOf, jwtOf, pemOf, secretOf } from './secret-files.ts'
