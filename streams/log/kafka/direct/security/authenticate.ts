import { randomBytes } from 'node:crypto'
import type { Clock, DurationMs } from '../../../../time/index.ts'
import type { KafkaSasl } from '../../options.ts'
import type { Api } from '../wire/index.ts'
import { saslAuthenticate, saslHandshake } from './api.ts'
import { refused, type Mechanism } from './mechanism.ts'
import { oauthbearer } from './oauthbearer.ts'
import { plain } from './plain.ts'
import { scram } from './scram.ts'

const NONCE_BYTES = 24
const ILLEGAL_SASL_STATE = 34

/** One call on the connection that is to be authenticated. */
export type CallOnce = <Request, Response> (api: Api<Request, Response>, request: Request) => Promise<Response>

/** Proves who we are, on a new connection or again on one whose session ends (KIP-368). Answers how long that holds; 0 for ever. */
export async function authenticate (sasl: KafkaSasl, clock: Clock, call: CallOnce): Promise<DurationMs> {
  const mechanism = mechanismOf(sasl, clock)
  const { errorCode, mechanisms } = await call(saslHandshake, { mechanism: mechanism.name })
  if (errorCode === ILLEGAL_SASL_STATE) throw refused('the broker\'s listener wants no login', 'connect to the listener with SASL, or configure none')
  if (errorCode !== 0) throw refused(`the broker's listener offers ${mechanisms.join(', ') || 'no way to log in'}, not ${mechanism.name}`, 'configure a mechanism that the listener offers')
  let lifetimeMs = 0
  await mechanism.run(async message => {
    const answer = await call(saslAuthenticate, { message })
    if (answer.errorCode !== 0) throw refused(`the broker refused the login by ${mechanism.name}: ${answer.errorMessage ?? `error ${answer.errorCode}`}`)
    lifetimeMs = answer.sessionLifetimeMs
    return answer.message
  })
  return lifetimeMs
}

function mechanismOf (sasl: KafkaSasl, clock: Clock): Mechanism {
  switch (sasl.kind) {
    case 'plain': return plain(sasl.username, sasl.password)
    case 'scram-sha-256':
    case 'scram-sha-512': return scram(sasl.kind, sasl.username, sasl.password, () => randomBytes(NONCE_BYTES).toString('base64'))
    case 'oauthbearer': return oauthbearer(sasl.token, clock)
  }
}
