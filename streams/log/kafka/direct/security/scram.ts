import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { refused, type Mechanism } from './mechanism.ts'

const deriveKey = promisify(pbkdf2)

/** Fewer is a downgrade (RFC 7677, 4; Kafka's own minimum), more would only burn time: a broker that asks for it is not trusted. */
const SCRAM_ITERATIONS: { readonly min: number, readonly max: number } = { min: 4_096, max: 1_000_000 }
/** No channel binding: base64 of the header `n,,`. */
const NO_BINDING = 'biws'

const HASHES = { 'scram-sha-256': { name: 'SCRAM-SHA-256', hash: 'sha256', bytes: 32 }, 'scram-sha-512': { name: 'SCRAM-SHA-512', hash: 'sha512', bytes: 64 } } as const

/** RFC 5802 and 7677: the password never goes over the wire, and the broker proves that it knows it too. `nonce`: printable, new each time, without a comma. */
export function scram (kind: keyof typeof HASHES, username: string, password: string, nonce: () => string): Mechanism {
  const { name, hash, bytes } = HASHES[kind]
  const mac = (key: Buffer, text: string): Buffer => createHmac(hash, key).update(text).digest()

  return {
    name,
    async run (exchange) {
      const own = nonce()
      const clientFirst = `n=${username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${own}`
      const serverFirst = (await exchange(Buffer.from(`n,,${clientFirst}`))).toString('utf8')
      const { r: both, s: salt, i: rounds } = fields(serverFirst)
      const iterations = Number(rounds)
      if (both === undefined || salt === undefined || !both.startsWith(own) || both.length === own.length) throw refused('the broker answered the login as no broker should', 'check what listens there')
      if (!Number.isInteger(iterations) || iterations < SCRAM_ITERATIONS.min || iterations > SCRAM_ITERATIONS.max) throw refused(`the broker asks for ${rounds ?? 'no'} rounds of ${name}`, `keep credentials with ${SCRAM_ITERATIONS.min} to ${SCRAM_ITERATIONS.max} iterations`)

      const salted = await deriveKey(password, Buffer.from(salt, 'base64'), iterations, bytes, hash)
      const withoutProof = `c=${NO_BINDING},r=${both}`
      const signed = `${clientFirst},${serverFirst},${withoutProof}`
      const clientKey = mac(salted, 'Client Key')
      const signature = mac(createHash(hash).update(clientKey).digest(), signed)
      const proof = Buffer.from(clientKey.map((byte, i) => byte ^ signature[i]!))
      const { e: error, v: verifier } = fields((await exchange(Buffer.from(`${withoutProof},p=${proof.toString('base64')}`))).toString('utf8'))
      if (error !== undefined) throw refused(`the broker refused the login: ${error}`)
      const expected = mac(mac(salted, 'Server Key'), signed)
      const given = Buffer.from(verifier ?? '', 'base64')
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw refused('the broker did not prove that it knows the password', 'check what listens there: it is not the broker that has these credentials')
    },
  }
}

/** `a=1,b=2`; a value may hold `=`. */
function fields (message: string): { readonly r?: string, readonly s?: string, readonly i?: string, readonly e?: string, readonly v?: string } {
  return Object.fromEntries(message.split(',').map(field => [field.slice(0, 1), field.slice(2)]))
}
