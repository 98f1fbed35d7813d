import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { ALL_VIEWS, deteriorationView, kidneyView, organsView } from '../../../features/views/index.ts'

const PAGE = readFileSync(new URL('../../../docs/clinical-scores.md', import.meta.url), 'utf8')

it.each([deteriorationView, organsView, kidneyView].map(v => [v.name, v] as const))('docs/clinical-scores.md says what each feature of %s is', (_, view) => {
  // A count of missing parts is said once for all of them, a sum by its heading, the second of two windows by its suffix.
  const said = (name: string): boolean => PAGE.includes(`\`${name}\``) || name.endsWith('Missing') || ['qsofa', 'sirs', 'mews', 'lactateClearance24h'].includes(name)
  expect(view.names.filter(name => !said(name))).toEqual([])
})

it('names no feature there that does not exist', () => {
  const known = new Set(ALL_VIEWS.flatMap(v => [v.name, ...v.names]))
  const named = [...PAGE.matchAll(/`([a-z]+[A-Z0-9]\w*)`/g)].map(m => m[1]!)
  expect(named.length).toBeGreaterThan(30)
  expect(named.filter(name => !known.has(name))).toEqual([])
})
