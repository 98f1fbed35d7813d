/** Who we are to a broker, and whether it is the broker: TLS and SASL. */
export { throwIfAuthenticationFailed, tlsOptions } from './tls.ts'
/** SASL: PLAIN, SCRAM-SHA-256 and -512, OAUTHBEARER. */
export { authenticate } from './authenticate.ts'
export type { CallOnce } from './authenticate.ts'
