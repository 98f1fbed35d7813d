import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { jwtOf, pemOf, secretOf } from '../../../ops/security/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'

const dir = tempDir()
afterAll(() => { dir.remove() })
const write = (text: string): string => { const file = join(dir.path, 'secret-here'); writeFileSync(file, text); return file }
const jwt = (claims: object): string => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sig`

it('a secret is the text of its file, without the end of the line', () => { expect(secretOf('--p', write('open sesame\n'))).toBe('open sesame') })

it('a token has the expiry that it carries, and a renewed file is taken up', () => {
  const clock = new ManualClock(1_000_000)
  expect(jwtOf('--t', write(jwt({ exp: 2_000 })), clock)).toMatchObject({ expiresAtMs: 2_000_000 })
  write(jwt({ exp: 3_000 }))
  expect(jwtOf('--t', write(jwt({ exp: 3_000 })), clock)).toMatchObject({ expiresAtMs: 3_000_000 })
})

it('an expired token is not sent', () => { expect(() => jwtOf('--t', write(jwt({ exp: 999 })), new ManualClock(1_000_000))).toThrow(expect.objectContaining({ code: 'CREDENTIALS_EXPIRED', message: 'the token of --t expired at 1970-01-01T00:16:39.000Z' }) as Error) })

it.each(['opaque-token', 'a.b.c', jwt({}), jwt({ exp: 'soon' }), `x.${Buffer.from('[]').toString('base64url')}.y`, `x.${Buffer.from('null').toString('base64url')}.y`])('a token without an expiry is refused: %s', text => {
  expect(() => jwtOf('--t', write(text), new ManualClock())).toThrow(expect.objectContaining({ code: 'FILE_INVALID' }) as Error)
})

it('a file that is missing, empty or of another kind is named by its option, never by its path or content', () => {
  const failures = [() => secretOf('--p', join(dir.path, 'nowhere')), () => secretOf('--p', write(' \n')), () => pemOf('--p', write('my secret der'))].map(read => { try { read() } catch (e) { return e as Error & { code: string } } return undefined })
  expect(failures.map(e => e?.code)).toEqual(['FILE_UNREADABLE', 'FILE_INVALID', 'FILE_INVALID'])
  for (const e of failures) { expect(e!.message).toContain('--p'); expect(e!.message).not.toMatch(/secret|nowhere/) }
})
