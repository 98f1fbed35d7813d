import type { S3Credentials } from '../../../features/offline/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import { fileOf } from '../../security/index.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** From AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the files that LATIDO_S3_ACCESS_KEY_FILE and LATIDO_S3_SECRET_KEY_FILE name. undefined: the store asks for none. Throws CONFIG_INVALID or FILE_UNREADABLE. */
export function s3Credentials (env: Environment): S3Credentials | undefined {
  const accessKey = secret(env, 'LATIDO_S3_ACCESS_KEY_FILE', 'AWS_ACCESS_KEY_ID')
  const secretKey = secret(env, 'LATIDO_S3_SECRET_KEY_FILE', 'AWS_SECRET_ACCESS_KEY')
  if (accessKey === undefined && secretKey === undefined) return undefined
  if (accessKey === undefined || secretKey === undefined) throw new LatidoError('CONFIG_INVALID', 'of the two keys of the S3 store one is missing', 'give both, by LATIDO_S3_ACCESS_KEY_FILE and LATIDO_S3_SECRET_KEY_FILE')
  return { accessKey, secretKey }
}

function secret (env: Environment, file: string, variable: string): string | undefined {
  const path = env[file]
  if (path === undefined || path === '') return env[variable] === '' ? undefined : env[variable]
  return fileOf(file, path).toString('utf8').trim()
}
