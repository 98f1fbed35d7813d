import { describe, expect, it } from 'vitest'
import { oauthbearer } from '../../../../../../streams/log/kafka/direct/security/oauthbearer.ts'
import { plain } from '../../../../../../streams/log/kafka/direct/security/plain.ts'
import { scram } from '../../../../../../streams/log/kafka/direct/security/scram.ts'
import type { Mechanism } from '../../../../../../streams/log/kafka/direct/security/mechanism.ts'
import { ManualClock } from '../../../../../../streams/time/index.ts'

/** Runs a mechanism against answers that were written down; answers what it said. */
async function said (mechanism: Mechanism, answers: readonly string[]): Promise<readonly string[]> {
  const messages: string[] = []
  await mechanism.run(message => {
    messages.push(message.toString('utf8'))
    return Promise.resolve(Buffer.from(answers[messages.length - 1] ?? '', 'utf8'))
  })
  return messages
}

const REFUSED = { code: 'BROKER_AUTHENTICATION_FAILED' }

describe('SCRAM-SHA-256, the exchange of RFC 7677, 3', () => {
  const nonce = 'rOprNGfwEbeRWgbNEkqO'
  const both = `${nonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0`
  const first = `r=${both},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`
  const final = 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='
  const mechanism = scram('scram-sha-256', 'user', 'pencil', () => nonce)

  it('proves the password and checks the server\'s proof', async () => {
    expect(await said(mechanism, [first, final])).toEqual([`n,,n=user,r=${nonce}`, `c=biws,r=${both},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`])
  })

  const noProof = /did not prove/
  const noBroker = /as no broker should/
  it.each([
    ['a server that does not know the password', first, 'v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=', noProof],
    ['a server that leaves its proof out', first, '', noProof],
    ['a refusal', first, 'e=invalid-proof', /refused the login: invalid-proof/],
    ['a nonce that is not ours', first.replace(nonce, 'x'.repeat(20)), final, noBroker],
    ['a nonce that the server added nothing to', first.replace(both, nonce), final, noBroker],
    ['too few iterations', first.replace('4096', '4095'), final, /asks for 4095 rounds of SCRAM-SHA-256/],
    ['iterations that would hold us up', first.replace('4096', '100000000'), final, /asks for 100000000 rounds/],
    ['no iterations', first.replace(',i=4096', ''), final, /asks for no rounds/],
    ['no salt', first.replace(/,s=[^,]*/, ''), final, noBroker],
    ['nothing', '', '', noBroker],
  ])('refuses %s', async (_, serverFirst, serverFinal, message) => {
    await expect(said(mechanism, [serverFirst, serverFinal])).rejects.toMatchObject({ ...REFUSED, message: expect.stringMatching(message) as string })
  })

  it('does not tell a secret in what it refuses with', async () => {
    const error = await said(mechanism, [first, 'e=invalid-proof']).catch((e: unknown) => String(e))
    expect(error).not.toMatch(/pencil|dHzbZ/)
  })
})

it('says names with a comma or an equals sign as RFC 5802, 5.1 asks', async () => {
  const messages: string[] = []
  await scram('scram-sha-512', 'a=b,c', 'x', () => 'n').run(message => { messages.push(message.toString()); throw new Error('enough') }).catch(() => undefined)
  expect(messages).toEqual(['n,,n=a=3Db=2Cc,r=n'])
})

it('says PLAIN as RFC 4616 asks', async () => {
  expect(await said(plain('ann', 'pässword'), [''])).toEqual(['\0ann\0pässword'])
})

describe('OAUTHBEARER, RFC 7628', () => {
  const clock = new ManualClock(1_000_000)
  const provide = (expiresAtMs: number) => (): Promise<{ token: string, expiresAtMs: number }> => Promise.resolve({ token: 'secret.token', expiresAtMs })

  it('brings the token', async () => {
    expect(await said(oauthbearer(provide(1_000_001), clock), [''])).toEqual(['n,,\x01auth=Bearer secret.token\x01\x01'])
  })
  it('does not send a token that has expired', async () => {
    await expect(said(oauthbearer(provide(1_000_000), clock), [''])).rejects.toMatchObject({ ...REFUSED, message: 'the token for the broker has expired' })
  })
  it('acknowledges a refusal, and tells its status alone', async () => {
    const messages: string[] = []
    const error: unknown = await oauthbearer(provide(2_000_000), clock).run(message => { messages.push(message.toString()); return Promise.resolve(Buffer.from('{"status":"invalid_token","token":"secret.token"}')) }).catch((e: unknown) => e)
    expect(messages[1]).toBe('\x01')
    expect(error).toMatchObject({ ...REFUSED, message: 'the broker refused the token: invalid_token' })
  })
  it('says when there is no token', async () => {
    await expect(said(oauthbearer(() => Promise.reject(new Error('token file is gone')), clock), [''])).rejects.toMatchObject({ ...REFUSED, message: 'there is no token for the broker: token file is gone' })
  })
})
