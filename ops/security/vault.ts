import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Database } from 'lmdb'
import type { Sealer, SourceIdentity } from '../../connectors/kit/index.ts'
import { LatidoError, messageOf } from '../../streams/errors/index.ts'
import { makeDirectory, makeFile } from '../../streams/files/index.ts'
import type { PatientKey, SealedIdentity } from '../../streams/events/index.ts'
import { openLmdb } from '../../streams/lmdb/index.ts'

const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const PSEUDONYM_BYTES = 16
const PSEUDONYMS_KEPT_MAX = 10_000
/** Instances that write a patient in the same moment say it again until one record has it all; what is left after so many is said with the next message. */
const ROUNDS_MAX = 5
/** Marks a patient of whom the newest record of the log says less than is known: it is said again at the next start, if no message came before. */
const POORER = 'poorer '

export interface VaultOptions {
  readonly directory: string
  readonly keyFile: string
  /** Gets each new or changed identity record, sealed, for the log; resolves when it is durable. */
  readonly publish: (patient: PatientKey, record: SealedIdentity) => Promise<void>
  /**
   * On a log that other instances write too: hands this vault, by `learn` and in the log's order, all that the log now has of the partition of this
   * patient. What was published is known by that alone, so that every instance comes to the same, whoever wrote last.
   */
  readonly catchUp?: (patient: PatientKey) => Promise<void>
}

/** What became of a record of the log. `unreadable`: this key does not open it. `closed`: it brings no key, an earlier version wrote it for itself. */
export type Learned = 'learned' | 'erased' | 'closed' | 'unreadable'

/** `onLog`: the newest record of the log says the same. */
interface Known { readonly text: string, readonly identity: SourceIdentity, readonly onLog: boolean }

/**
 * The only place that knows who a pseudonym is. A pseudonym is HMAC-SHA256 of the source's identifier under a key of this installation;
 * the identity record is AES-256-GCM under a key of that patient alone (wrapped by the installation's key), so erasing one key erases one person.
 */
export class IdentityVault implements Sealer, AsyncDisposable {
  readonly #root: ReturnType<typeof openLmdb>
  readonly #identities: Database<Buffer, string>
  readonly #keys: Database<Buffer, string>
  readonly #log: Database<number | string, string>
  readonly #cache = new Map<PatientKey, Known>()
  readonly #keeping = new Map<PatientKey, Promise<void>>()
  readonly #pseudonyms = new Map<string, PatientKey>()
  readonly #pseudonymKey: Buffer
  readonly #wrapKey: Buffer
  readonly #sealKey: Buffer
  readonly #publish: VaultOptions['publish']
  readonly #catchUp: VaultOptions['catchUp']
  /** Of the installation's key: says that two are the same, and nothing about them. */
  readonly fingerprint: string

  constructor (options: VaultOptions) {
    const master = loadMasterKey(options.keyFile)
    const derive = (purpose: string): Buffer => derived(master, purpose)
    this.#pseudonymKey = derive('pseudonym')
    this.#wrapKey = derive('wrap')
    this.#sealKey = derive('seal')
    this.fingerprint = derive('fingerprint').toString('base64url')
    this.#publish = options.publish
    this.#catchUp = options.catchUp
    this.#root = openLmdb(options.directory, 'the identity vault')
    this.#identities = this.#root.openDB<Buffer, string>('identities', { encoding: 'binary' })
    this.#keys = this.#root.openDB<Buffer, string>('keys', { encoding: 'binary' })
    this.#log = this.#root.openDB<number | string, string>('log', {})
    for (const { key, value } of this.#identities.getRange({})) this.#remember(key as PatientKey, value, options.catchUp === undefined || (this.logKey !== undefined && this.#log.get(POORER + key) === undefined))
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

  /** The same, after a look at the log where nobody is known: another instance may have written it just now. Rejects where the log is away. */
  async find (patient: PatientKey): Promise<SourceIdentity | undefined> {
    if (!this.#cache.has(patient)) await this.#catchUp?.(patient)
    return this.identityOf(patient)
  }

  /**
   * The pseudonym of a patient; a new or fuller identity is kept first, and only what was kept counts as known: after a failure the next message
   * tries again. Fields that a source leaves out stay as they were.
   */
  async identify (patient: SourceIdentity): Promise<PatientKey> {
    const key = this.pseudonymOf(patient.id)
    const keeping = this.#keeping.get(key)
    if (keeping !== undefined) { await keeping.catch(() => {}); return await this.identify(patient) }
    if (this.#isKept(key, patient)) return key
    const work = this.#keep(key, patient)
    this.#keeping.set(key, work)
    try {
      await work
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

  /**
   * A record of the log. Fields that it leaves out stay as they were, so two instances that wrote at once lose nothing: the later record is then poorer than
   * what is known, and whoever hears of the patient next says it all again. Without a record: the patient was erased. On disk before the position that is kept behind it.
   */
  async learn (patient: PatientKey, record: SealedIdentity | undefined): Promise<Learned> {
    if (record === undefined) {
      this.#cache.delete(patient)
      await Promise.all([this.#identities.remove(patient), this.#keys.remove(patient)])
      return 'erased'
    }
    if (record.key.length === 0) return 'closed'
    const opened = this.#opened(patient, record)
    if (opened === undefined) return 'unreadable'
    const said = textOf(opened.identity)
    const known = this.#cache.get(patient)
    const identity = { ...known?.identity, ...opened.identity }
    const text = textOf(identity)
    this.#cache.set(patient, { text, identity, onLog: text === said })
    const sealed = text === said ? record.sealed : encrypt(opened.patientKey, Buffer.from(text), patient)
    const poorer = text !== said ? this.#log.put(POORER + patient, 1) : known?.onLog === false ? this.#log.remove(POORER + patient) : undefined
    await Promise.all([this.#keys.put(patient, Buffer.from(record.key)), this.#identities.put(patient, Buffer.from(sealed)), poorer])
    return 'learned'
  }

  /** Where `learn` goes on in a partition after a restart. */
  position (partition: number): number { return Number(this.#log.get(String(partition)) ?? 0) }
  async learnedTo (partition: number, offset: number): Promise<void> { await this.#log.put(String(partition), offset) }

  /** The fingerprint of the key that the log is under; set when all that this vault knew before has been said there. */
  get logKey (): string | undefined { return this.#log.get('key') as string | undefined }
  async joined (fingerprint: string): Promise<void> { await this.#log.put('key', fingerprint) }

  /** The log was made anew: nothing of it was learned. */
  async forgetLog (): Promise<void> {
    await this.#log.clearAsync()
    for (const [patient, known] of this.#cache) this.#cache.set(patient, { ...known, onLog: false })
  }

  /** Whom the log does not have as they are known here. */
  unpublished (): readonly SourceIdentity[] { return [...this.#cache.values()].filter(({ onLog }) => !onLog).map(({ identity }) => identity) }

  #isKept (patient: PatientKey, fields: SourceIdentity): boolean {
    const known = this.#cache.get(patient)
    return known !== undefined && known.onLog && known.text === textOf({ ...known.identity, ...fields })
  }

  /** One at a time for a patient, so that two messages cannot make two keys. */
  async #keep (patient: PatientKey, fields: SourceIdentity): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX && !this.#isKept(patient, fields); round++) {
      const identity = { ...this.#cache.get(patient)?.identity, ...fields }
      const text = textOf(identity)
      const { patientKey, wrapped } = this.#keyFor(patient)
      const sealed = encrypt(patientKey, Buffer.from(text), patient)
      if (this.#catchUp === undefined) {
        await Promise.all([this.#keys.put(patient, wrapped), this.#identities.put(patient, sealed), this.#publish(patient, { sealed, key: wrapped })])
        this.#cache.set(patient, { text, identity, onLog: true })
      } else {
        await this.#publish(patient, { sealed, key: wrapped })
        await this.#catchUp(patient)
      }
    }
  }

  /** The patient's key, made if there is none. */
  #keyFor (patient: PatientKey): { readonly patientKey: Buffer, readonly wrapped: Buffer } {
    const wrapped = this.#keys.get(patient)
    if (wrapped !== undefined) return { patientKey: decrypt(this.#wrapKey, wrapped, patient), wrapped }
    const patientKey = randomBytes(KEY_BYTES)
    return { patientKey, wrapped: encrypt(this.#wrapKey, patientKey, patient) }
  }

  #opened (patient: PatientKey, { key, sealed }: SealedIdentity): { readonly patientKey: Buffer, readonly identity: SourceIdentity } | undefined {
    try {
      const patientKey = decrypt(this.#wrapKey, key, patient)
      return { patientKey, identity: JSON.parse(decrypt(patientKey, sealed, patient).toString()) as SourceIdentity }
    } catch {
      return undefined // told by whoever reads the log: it knows where
    }
  }

  /** A record whose key was erased stays unreadable, which is the point. */
  #remember (patient: PatientKey, sealed: Buffer, onLog: boolean): void {
    const wrapped = this.#keys.get(patient)
    if (wrapped === undefined) return
    try {
      const identity = JSON.parse(decrypt(decrypt(this.#wrapKey, wrapped, patient), sealed, patient).toString()) as SourceIdentity
      this.#cache.set(patient, { text: textOf(identity), identity, onLog })
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

/** The same text for the same identity, whoever put it together. */
function textOf (identity: SourceIdentity): string { return JSON.stringify(Object.fromEntries(Object.entries(identity).sort(([a], [b]) => a < b ? -1 : 1))) }

function derived (master: Buffer, purpose: string): Buffer { return Buffer.from(hkdfSync('sha256', master, Buffer.alloc(0), `latido ${purpose}`, KEY_BYTES)) }

function pseudonymUnder (key: Buffer, sourceId: string): PatientKey {
  return createHmac('sha256', key).update(sourceId).digest().subarray(0, PSEUDONYM_BYTES).toString('base64url') as PatientKey
}

/** Reads the installation's key; makes one, readable by its owner alone, where there is none. */
function loadMasterKey (file: string): Buffer {
  try {
    if (!existsSync(file)) {
      makeDirectory(dirname(file), 0o700)
      makeFile(file, randomBytes(KEY_BYTES).toString('base64'), 0o600) // without it nothing that was promised can be read
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
