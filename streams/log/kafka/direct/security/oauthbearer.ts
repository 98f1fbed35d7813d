import { messageOf } from '../../../../errors/index.ts'
import type { Clock } from '../../../../time/index.ts'
import type { OauthToken } from '../../options.ts'
import { refused, type Mechanism } from './mechanism.ts'

const SEPARATOR = '\x01'

/** RFC 7628. Asks for a token each time that it runs. */
export function oauthbearer (provide: () => Promise<OauthToken>, clock: Clock): Mechanism {
  return {
    name: 'OAUTHBEARER',
    async run (exchange) {
      const { token, expiresAtMs } = await provide().catch((e: unknown) => { throw refused(`there is no token for the broker: ${messageOf(e)}`, 'check where tokens come from', e) })
      if (expiresAtMs <= clock.now()) throw refused('the token for the broker has expired', 'check where tokens come from, and the clock of this machine')
      const error = await exchange(Buffer.from(`n,,${SEPARATOR}auth=Bearer ${token}${SEPARATOR}${SEPARATOR}`))
      if (error.length === 0) return
      await exchange(Buffer.from(SEPARATOR)) // RFC 7628, 3.2.3: the failure is to be acknowledged, then the broker refuses
      throw refused(`the broker refused the token: ${statusOf(error)}`)
    },
  }
}

/** Of the JSON that the broker explains with, the status alone: the rest may repeat the token's claims. */
function statusOf (error: Buffer): string {
  try {
    const { status } = JSON.parse(error.toString('utf8')) as { readonly status?: unknown }
    return typeof status === 'string' ? status : 'no reason given'
  } catch { return 'no reason given' }
}
