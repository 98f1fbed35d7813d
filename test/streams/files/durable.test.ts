import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { makeDirectory, makeFile, replaceFile } from '../../../streams/files/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'

let directory: ReturnType<typeof tempDir>
beforeEach(() => { directory = tempDir() })
afterEach(() => { directory.remove() })

it('makes a directory with those above it, and leaves one that is there', () => {
  const path = join(directory.path, 'a', 'b')
  makeDirectory(path, 0o700)
  makeDirectory(path, 0o700)
  expect(statSync(path).mode & 0o777).toBe(0o700)
})

it('makes a file with its mode, and leaves nothing beside it', () => {
  makeFile(join(directory.path, 'key'), 'secret', 0o600)
  expect(readFileSync(join(directory.path, 'key'), 'utf8')).toBe('secret')
  expect(statSync(join(directory.path, 'key')).mode & 0o777).toBe(0o600)
  expect(readdirSync(directory.path)).toEqual(['key'])
})

it('does not make a file over one that is there', () => {
  writeFileSync(join(directory.path, 'key'), 'first')
  expect(() => makeFile(join(directory.path, 'key'), 'second', 0o600)).toThrow(expect.objectContaining({ code: 'EEXIST' }) as Error)
  expect(readFileSync(join(directory.path, 'key'), 'utf8')).toBe('first')
  expect(readdirSync(directory.path)).toEqual(['key'])
})

it('replaces a file, over what a cut has left', () => {
  const file = join(directory.path, 'table')
  writeFileSync(file, 'old')
  writeFileSync(`${file}.new`, 'half of somethi')
  replaceFile(file, Buffer.from('new'), 0o644)
  expect(readFileSync(file, 'utf8')).toBe('new')
  expect(existsSync(`${file}.new`)).toBe(false)
})

it('leaves nothing where a file cannot be replaced', () => {
  mkdirSync(join(directory.path, 'table'))
  expect(() => replaceFile(join(directory.path, 'table'), 'text', 0o644)).toThrow(expect.objectContaining({ syscall: 'rename' }) as Error)
  expect(readdirSync(directory.path)).toEqual(['table'])
})
