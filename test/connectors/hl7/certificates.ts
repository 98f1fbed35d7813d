import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Pair { readonly keyFile: string, readonly certFile: string }

/** Certificates of a made-up hospital, made for one test with the openssl command: of the server, of a sender, and of a sender whom another authority vouches for. */
export interface Certificates extends Disposable {
  readonly folder: string
  readonly caFile: string
  readonly server: Pair
  readonly sender: Pair
  readonly stranger: Pair
}

export function makeCertificates (): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'latido-tls-'))
  const ca = authority(folder, 'ca')
  const others = authority(folder, 'others')
  return {
    folder,
    caFile: ca.certFile,
    server: signed(folder, ca, 'server', 'latido-test', 'subjectAltName=IP:127.0.0.1,DNS:localhost'),
    sender: signed(folder, ca, 'sender', 'HIS Interface 1'),
    stranger: signed(folder, others, 'stranger', 'HIS Interface 1'),
    [Symbol.dispose]: () => { rmSync(folder, { recursive: true }) },
  }
}

function authority (folder: string, name: string): Pair {
  const pair = filesOf(folder, name)
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', `/CN=${name}`, '-keyout', pair.keyFile, '-out', pair.certFile)
  return pair
}

function signed (folder: string, by: Pair, name: string, commonName: string, extension = 'basicConstraints=CA:FALSE'): Pair {
  const pair = filesOf(folder, name)
  const [request, extensions] = [join(folder, `${name}.csr`), join(folder, `${name}.ext`)]
  writeFileSync(extensions, `${extension}\n`)
  openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', `/CN=${commonName}`, '-keyout', pair.keyFile, '-out', request)
  openssl('x509', '-req', '-in', request, '-CA', by.certFile, '-CAkey', by.keyFile, '-CAcreateserial', '-days', '2', '-extfile', extensions, '-out', pair.certFile)
  return pair
}

function filesOf (folder: string, name: string): Pair { return { keyFile: join(folder, `${name}.key`), certFile: join(folder, `${name}.pem`) } }
function openssl (...args: string[]): void { execFileSync('openssl', args, { stdio: 'pipe' }) }
