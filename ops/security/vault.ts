import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Database } from 'lmdb'
import type { Sealer, SourceIdentity } from '../../connectors/kit/index.ts'
import { LatidoError, messageOf } from '../../streams/errors/index.ts'
import type { PatientKey } from '../../streams/events/index.ts'
import { openLmdb } from '../../streams/lmdb/index.ts'

const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const PSEUDONYM_BYTES = 16
const PSEUDONYMS_KEPT_MAX = 10_000

export interface VaultOptions {
  readonly directory: string
  readonly keyFile: string
  /** Gets each new or changed identity record, sealed, for the log; resolves when it is durable. */
  readonly publish: (patient: PatientKey, sealed: Buffer) => Promise<void>
}

/**
 * The only place that knows who a pseudonym is. A pseudonym is HMAC-SHA256 of the source's identifier under a key of this installation;
 * the identity record is AES-256-GCM under a key of that patient alone (wrapped by the installation's key), so erasing one key erases one person.
 */
export class IdentityVault implements Sealer, AsyncDisposable {
  readonly #root: ReturnType<typeof openLmdb>
  readonly #identities: Database<Buffer, string>
  readonly #keys: Database<Buffer, string>
  readonly #cache = new Map<PatientKey, { readonly text: string, readonly identity: SourceIdentity }>()
  readonly #keeping = new Map<PatientKey, Promise<void>>()
  readonly #pseudonyms = new Map<string, PatientKey>()
  readonly #pseudonymKey: Buffer
  readonly #wrapKey: Buffer
  readonly #sealKey: Buffer
  readonly #publish: VaultOptions['publish']

  constructor (options: VaultOptions) {
    const master = loadMasterKey(options.keyFile)
    const derive = (purpose: string): Buffer => derived(master, purpose)
    this.#pseudonymKey = derive('pseudonym')
    this.#wrapKey = derive('wrap')
    this.#sealKey = derive('seal')
    this.#publish = options.publish
    this.#root = openLmdb(options.directory, 'the identity vault')
    this.#identities = this.#root.openDB<Buffer, string>('identities', { encoding: 'binary' })
    this.#keys = this.#root.openDB<Buffer, string>('keys', { encoding: 'binary' })
    for (const { key, value } of this.#identities.getRange({})) this.#remember(key as PatientKey, value)
  }

  /** The same patients come again and again: the pseudonyms of the last ones are kept. */
  pseudonymOf (sourceId: string): PatientKey {
    const kept = this.#pseudonyms.get(sourceId)
    if (kept !== undefined) return kept
    const key = pseudonymUnder(this.#pseudonymKey, sourceId)
    if (this.#pseudonyms.size >= PSEUDONYMS_KEPT_MAX) for (const oldest of this.#pseudonyms.keys()) { this.#pseudonyms.delete(oldest); break }
    this.#pseudonyms.set(sourceId, key)
    return key
  }

  /** The pseudonym, if this source id was ever seen. */
  keyOf (sourceId: string): PatientKey | undefined {
    const key = this.pseudonymOf(sourceId)
    return this.#cache.has(key) ? key : undefined
  }

  identityOf (patient: PatientKey): SourceIdentity | undefined { return this.#cache.get(patient)?.identity }

  /**
   * The pseudonym of a patient; a new or fuller identity is kept first, and only what was kept counts as known: after a failure the next message
   * tries again. Fields that a source leaves out stay as they were.
   */
  async identify (patient: SourceIdentity): Promise<PatientKey> {
    const key = this.pseudonymOf(patient.id)
    const keeping = this.#keeping.get(key)
    if (keeping !== undefined) { await keeping.catch(() => {}); return await this.identify(patient) }
    const known = this.#cache.get(key)
    const identity = { ...known?.identity, ...patient }
    const text = JSON.stringify(identity)
    if (known?.text === text) return key
    const work = this.#keep(key, text)
    this.#keeping.set(key, work)
    try {
      await work
      this.#cache.set(key, { text, identity })
    } finally {
      this.#keeping.delete(key)
    }
    return key
  }

  seal (plain: Buffer): Buffer { return encrypt(this.#sealKey, plain, 'sealed') }
  open (sealed: Buffer): Buffer { return decrypt(this.#sealKey, sealed, 'sealed') }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.#root.flushed
    await this.#root.close()
  }

  /** One at a time for a patient, so that two messages cannot make two keys. */
  async #keep (patient: PatientKey, text: string): Promise<void> {
    const { patientKey, stored } = this.#keyFor(patient)
    const sealed = encrypt(patientKey, Buffer.from(text), patient)
    await Promise.all([stored, this.#identities.put(patient, sealed), this.#publish(patient, sealed)])
  }

  /** The patient's key, made if there is none; `stored` resolves when it is on disk. */
  #keyFor (patient: PatientKey): { readonly patientKey: Buffer, readonly stored: Promise<unknown> } {
    const wrapped = this.#keys.get(patient)
    if (wrapped !== undefined) return { patientKey: decrypt(this.#wrapKey, wrapped, patient), stored: Promise.resolve() }
    const patientKey = randomBytes(KEY_BYTES)
    return { patientKey, stored: this.#keys.put(patient, encrypt(this.#wrapKey, patientKey, patient)) }
  }

  /** A record whose key was erased stays unreadable, which is the point. */
  #remember (patient: PatientKey, sealed: Buffer): void {
    const wrapped = this.#keys.get(patient)
    if (wrapped === undefined) return
    try {
      const text = decrypt(decrypt(this.#wrapKey, wrapped, patient), sealed, patient).toString()
      this.#cache.set(patient, { text, identity: JSON.parse(text) as SourceIdentity })
    } catch (cause) {
      throw new LatidoError('STORE_CORRUPT', 'the identity vault cannot be opened with this key', 'put the key file back that belongs to the data directory', cause)
    }
  }
}

/**
 * The pseudonym that an installation gives an identifier, for those who may read its key; undefined where there is no key, or it is not
 * theirs to read.
 */
export function pseudonymWith (keyFile: string, sourceId: string): PatientKey | undefined {
  try {
    accessSync(keyFile, constants.R_OK)
  } catch {
    return undefined
  }
  return pseudonymUnder(derived(loadMasterKey(keyFile), 'pseudonym'), sourceId)
}

function derived (master: Buffer, purpose: string): Buffer { return Buffer.from(hkdfSync('sha256', master, Buffer.alloc(0), `latido ${purpose}`, KEY_BYTES)) }

function pseudonymUnder (key: Buffer, sourceId: string): PatientKey {
  return createHmac('sha256', key).update(sourceId).digest().subarray(0, PSEUDONYM_BYTES).toString('base64url') as PatientKey
}

/** Reads the installation's key; makes one, readable by its owner alone, where there is none. */
function loadMasterKey (file: string): Buffer {
  try {
    if (!existsSync(file)) {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
      writeFileSync(file, randomBytes(KEY_BYTES).toString('base64'), { mode: 0o600, flag: 'wx' })
    }
    const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64')
    if (key.length !== KEY_BYTES) throw new Error(`it must hold ${KEY_BYTES} bytes in base64`)
    return key
  } catch (cause) {
    throw new LatidoError('DATA_DIR_UNWRITABLE', `the key file ${file} cannot be used: ${messageOf(cause)}`, 'check its permissions and content, or set LATIDO_KEY_FILE', cause)
  }
}

/** nonce, ciphertext, tag; `context` is bound as additional data. */
function encrypt (key: Buffer, plain: Buffer, context: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context))
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

function decrypt (key: Buffer, sealed: Buffer, context: string): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES)).setAAD(Buffer.from(context)).setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
  return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES)), decipher.final()])
}
