import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { LatidoError, messageOf } from '../../../../errors/index.ts'
import { tlsOptions } from '../security/index.ts'
import { ConnectionLost } from './errors.ts'
import { showAddress, type Address, type ClusterOptions } from './options.ts'

/** One buffer receives all chunks of a socket; what is in it is copied at once into the frame that it belongs to. */
const RECEIVE_BYTES = 128 * 1024

/** An open TCP or TLS connection. `onData` gets chunks that are valid during the call only, and may come before this answers. */
export async function openSocket (address: Address, options: ClusterOptions, onData: (chunk: Buffer) => void): Promise<Socket> {
  const { clock, tls, limits } = options
  const receive = Buffer.allocUnsafeSlow(RECEIVE_BYTES)
  const onread = { buffer: receive, callback: (bytes: number): boolean => { onData(receive.subarray(0, bytes)); return true } }
  const target = { host: address.host, port: address.port, noDelay: true, keepAlive: true, onread }
  const socket = tls === undefined ? connectTcp(target) : connectTls({ ...target, ...tlsOptions(tls, address.host, limits.tlsMinVersion) })
  const timer = new AbortController()
  try {
    await Promise.race([
      opened(socket, tls === undefined ? 'connect' : 'secureConnect'),
      clock.sleep(limits.connectTimeoutMs, timer.signal).then(() => { if (!timer.signal.aborted) throw new Error(`no connection within ${limits.connectTimeoutMs} ms`) }),
    ])
    return socket
  } catch (cause) {
    socket.on('error', () => { /* told already: by this failure */ }).destroy()
    throw unreachable(address, cause, tls !== undefined)
  } finally { timer.abort() }
}

function opened (socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => (): void => { socket.off('error', fail).off(event, done).off('close', closed); act() }
    const fail = (e: Error): void => { settle(() => { reject(e) })() }
    const done = settle(resolve)
    const closed = settle(() => { reject(new Error('the broker closed the connection')) })
    socket.once('error', fail).once(event, done).once('close', closed)
  })
}

const CERTIFICATE = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|EPROTO|ERR_OSSL_|HOSTNAME_MISMATCH)/

/** A certificate that does not fit will not fit at the next try either; everything else may pass. */
function unreachable (address: Address, cause: unknown, secure: boolean): Error {
  const code = (cause as { readonly code?: unknown }).code
  if (secure && typeof code === 'string' && CERTIFICATE.test(code)) {
    return new LatidoError('BROKER_AUTHENTICATION_FAILED', `no secure connection to the broker ${showAddress(address)}: ${messageOf(cause)}`, 'check the authority, the certificate and its name, and that this is a TLS listener', cause)
  }
  return new ConnectionLost(`the broker ${showAddress(address)} cannot be reached: ${messageOf(cause)}`, true, cause)
}
