import type { SecretRef } from '../../connectors/kit/index.ts'
import { LatidoError } from '../../streams/errors/index.ts'
import { secretOf } from './secret-files.ts'

/** Opens what `who` (`feed lab`, `--fhir-out`) names: a file, or a variable of the environment. Throws FILE_UNREADABLE, FILE_INVALID or CONFIG_INVALID; none of them holds the secret. */
export function secretAt (who: string, ref: SecretRef, env: Readonly<Record<string, string | undefined>>): string {
  if ('file' in ref) return secretOf(who, ref.file)
  const secret = env[ref.env]?.trim() ?? ''
  if (secret === '') throw new LatidoError('CONFIG_INVALID', `the variable ${ref.env}, which ${who} names for a secret, is not set`, 'set it where Latido is started, or name a file')
  return secret
}
