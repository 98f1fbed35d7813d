import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../house/source-files.ts'
import { document, DOCUMENTS } from './documents.ts'

/** As the usual renderers make it of a heading. */
const anchorOf = (heading: string): string => heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-')
const anchorsOf = (path: string): readonly string[] => [...document(path).text.matchAll(/^#+ (.+)$/gm)].map(match => anchorOf(match[1]!))
const withoutCode = (text: string): string => text.replace(/```[\s\S]*?```/g, '')

test('every relative link leads somewhere, to its heading too', () => {
  const broken = DOCUMENTS.flatMap(({ path, text }) => [...withoutCode(text).matchAll(/\]\((?!https?:|mailto:)([^)#]*)(?:#([^)]+))?\)/g)].flatMap(([, target = '', anchor]) => {
    const to = target === '' ? path : posix.normalize(posix.join(dirname(path), target))
    const found = existsSync(join(ROOT, to)) && (anchor === undefined || anchorsOf(to).includes(anchor))
    return found ? [] : [`${path}: ${target}${anchor === undefined ? '' : `#${anchor}`}`]
  }))
  expect(broken).toEqual([])
})

const FILE = /^(?:streams|features|inference|connectors|dashboards|ops|test|docs|scripts)\/[\w./-]+$/

test('every file and folder that is named exists', () => {
  const missing = DOCUMENTS.flatMap(({ path, text }) => [...withoutCode(text).matchAll(/`([^`\s]+)`/g)].map(match => match[1]!).filter(name => FILE.test(name) && !existsSync(join(ROOT, name))).map(name => `${path}: ${name}`))
  expect(missing).toEqual([])
})

test('every function that the architecture names stands in the file that it is named with', () => {
  const named = [...withoutCode(document('docs/architecture.md').text).matchAll(/`((?:\w+\/)+[\w.-]+\.ts)`(?:,| \||\s\()\s*`([\w.]+)`/g)]
  expect(named.length).toBeGreaterThanOrEqual(8)
  const wrong = named.filter(([, file, name]) => {
    const text = readFileSync(join(ROOT, file!), 'utf8')
    return !name!.split('.').every(part => new RegExp(`\\b(?:function|class|async)? ?#?${part}\\b`).test(text))
  })
  expect(wrong.map(([, file, name]) => `${file} ${name}`)).toEqual([])
})
