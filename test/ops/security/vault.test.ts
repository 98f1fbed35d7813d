import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { IdentityVault } from '../../../ops/security/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import type { PatientKey, SealedIdentity } from '../../../streams/events/index.ts'
import { openLmdb } from '../../../streams/lmdb/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'

const JANE = { id: 'MRN-4711', familyName: 'Invented', givenName: 'Jane', birthDate: '1950-04-12' }
let directory: ReturnType<typeof tempDir>
let keyFile: string
let published: { readonly key: PatientKey, readonly sealed: Buffer }[]
let vault: IdentityVault | undefined

function open (publish: (key: PatientKey, record: SealedIdentity) => Promise<void> = (key, { sealed }) => { published.push({ key, sealed }); return Promise.resolve() }): IdentityVault {
  vault = new IdentityVault({ directory: join(directory.path, 'vault'), keyFile, publish })
  return vault
}
async function close (): Promise<void> {
  await vault?.[Symbol.asyncDispose]()
  vault = undefined
}

beforeEach(() => { directory = tempDir(); keyFile = join(directory.path, 'keys', 'master.key'); published = [] })
afterEach(async () => { await close(); directory.remove() })

it('gives the same pseudonym after a restart, and resolves it', async () => {
  const key = await open().identify(JANE)
  await close()
  const again = open()
  expect(again.pseudonymOf('MRN-4711')).toBe(key)
  expect(again.keyOf('MRN-4711')).toBe(key)
  expect(again.identityOf(key)).toEqual(JANE)
  expect(await again.identify(JANE)).toBe(key)
  expect(published).toHaveLength(1)
})

it('does not know an identifier that was never seen', () => { expect([open().keyOf('MRN-1'), open().identityOf('x' as PatientKey)]).toEqual([undefined, undefined]) })

it('gives pseudonyms that say nothing of the identifier, and others under another key', () => {
  const first = open().pseudonymOf('MRN-4711')
  expect(first).toMatch(/^[\w-]{22}$/)
  expect(first).not.toBe(vault!.pseudonymOf('MRN-4712'))
  renameSync(keyFile, `${keyFile}.old`)
  expect(open().pseudonymOf('MRN-4711')).not.toBe(first)
})

it('keeps what a source leaves out, and publishes a fuller identity', async () => {
  const key = await open().identify({ id: 'MRN-4711', familyName: 'Invented' })
  await vault!.identify({ id: 'MRN-4711' })
  expect(published).toHaveLength(1)
  await vault!.identify(JANE)
  expect(published).toHaveLength(2)
  expect(vault!.identityOf(key)).toEqual(JANE)
})

it('makes one record when two messages name a new patient at once, and both wait for it', async () => {
  let release = (): void => {}
  const written = new Promise<void>(resolve => { release = resolve })
  open(async (key, { sealed }) => { await written; published.push({ key, sealed }) })
  const done: number[] = []
  const both = [1, 2].map(async n => { await vault!.identify(JANE); done.push(n) })
  await new Promise(resolve => { setImmediate(resolve) })
  expect(done).toEqual([])
  release()
  await Promise.all(both)
  expect(published).toHaveLength(1)
  await close()
  expect(open().keyOf('MRN-4711')).toBeDefined()
})

it('does not take an identity for kept that the log did not take', async () => {
  let down = true
  open((key, { sealed }) => {
    if (down) return Promise.reject(new LatidoError('LOG_WRITE_FAILED', 'disk full', 'make room'))
    published.push({ key, sealed })
    return Promise.resolve()
  })
  await expect(vault!.identify(JANE)).rejects.toMatchObject({ code: 'LOG_WRITE_FAILED' })
  down = false
  await vault!.identify(JANE)
  expect(published).toHaveLength(1)
})

it('says that the key file is not the one of this data directory', async () => {
  await open().identify(JANE)
  await close()
  writeFileSync(keyFile, Buffer.alloc(32, 1).toString('base64'))
  expect(() => open()).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT', action: 'put the key file back that belongs to the data directory' }) as Error)
})

it.each(['', 'not a key', Buffer.alloc(31).toString('base64')])('refuses a key file that holds "%s"', text => {
  open()
  writeFileSync(keyFile, text)
  expect(() => open()).toThrow(expect.objectContaining({ code: 'DATA_DIR_UNWRITABLE', message: expect.stringContaining('32 bytes in base64') as string }) as Error)
})

it('makes its key readable by its owner alone', () => {
  open()
  expect(statSync(keyFile).mode & 0o777).toBe(0o600)
})

it('leaves no identifier in clear on the disk or in what it publishes', async () => {
  await open().identify(JANE)
  const sealed = vault!.seal(Buffer.from('PID|||MRN-4711||Invented^Jane'))
  await close()
  const files = readdirSync(join(directory.path, 'vault')).map(f => readFileSync(join(directory.path, 'vault', f)))
  for (const bytes of [...files, sealed, ...published.map(p => p.sealed)]) for (const secret of Object.values(JANE)) expect(bytes.includes(secret)).toBe(false)
})

it('cannot read a patient whose key was erased, and reads the others', async () => {
  const jane = await open().identify(JANE)
  const john = await vault!.identify({ id: 'MRN-2', givenName: 'John' })
  await close()
  const root = openLmdb(join(directory.path, 'vault'), 'the identity vault')
  await root.openDB<Buffer, string>('keys', { encoding: 'binary' }).remove(jane)
  await root.flushed
  await root.close()
  const again = open()
  expect([again.identityOf(jane), again.keyOf('MRN-4711'), again.identityOf(john)?.givenName]).toEqual([undefined, undefined, 'John'])
})

it('seals and opens bytes, and refuses bytes that were changed', () => {
  const plain = Buffer.from('raw message')
  const sealed = open().seal(plain)
  expect(vault!.open(sealed)).toEqual(plain)
  expect(vault!.seal(plain)).not.toEqual(sealed)
  sealed[20]! ^= 1
  expect(() => vault!.open(sealed)).toThrow()
})

it('says that its directory cannot be written', () => {
  const file = join(directory.path, 'file')
  writeFileSync(file, '')
  keyFile = join(file, 'master.key')
  expect(() => open()).toThrow(expect.objectContaining({ code: 'DATA_DIR_UNWRITABLE' }) as Error)
  expect(existsSync(join(directory.path, 'vault'))).toBe(false)
  rmSync(file)
})
