/** Who we are to a broker, and whether it is the broker: TLS and SASL. */
export { throwIfAuthenticationFailed, tlsOptions } from './tls.ts'
