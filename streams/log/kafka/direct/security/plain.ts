import type { Mechanism } from './mechanism.ts'

/** RFC 4616. The password goes over the wire as it is: for TLS only. */
export function plain (username: string, password: string): Mechanism {
  return { name: 'PLAIN', run: async exchange => { await exchange(Buffer.from(`\0${username}\0${password}`)) } }
}
