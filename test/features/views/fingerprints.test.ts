import { expect, it } from 'vitest'
import { viewFingerprint } from '../../../features/define/index.ts'
import { ALL_VIEWS, sepsisView } from '../../../features/views/index.ts'

/**
 * What each published view means. A model was trained on it, rows are stored under it: whoever changes a name, the order, a unit, the time to
 * live or an expression gives the view its next version, and adds a line here. A line that stands is not edited.
 */
const PUBLISHED: Readonly<Record<string, string>> = {
  'vitals@1': '5eb07e49d39674e8b26c8cff902178556c038d2d1fb6a7dd0d988eab72a84cc6',
  'labs@1': 'b9350ab191976470956590d301d709d46c79aa0a6757d011e31e71d23450f50a',
  'news2@1': 'b69c844a068afcbded61846d658367cdaa99f2130ca7df3e04e04c339e96b236',
  'sepsis@1': '66c15b49754c176cda50c104fe68318b23bc5d0acfe155031b29c37699d0da91',
  'deterioration@1': '590507a981841a390e63dde11fee1700cb531914f1d879bf3012b9e62a843bf0',
  'organs@1': '3d843f2dec24d3c145bd6fc640bebdfb87ede337eb870cc682a844cdf769490d',
  'kidney@1': 'ba45c6901effe1bfe6595df8c985e78f476680c86d6e2854f3b90254f090c0bf',
  'sepsisTime@1': 'e458a0450a6af14bc8d9f08980d83c5353701ae4c80f39fed64285da3b9fe1df',
}

it.each(ALL_VIEWS.map(v => [`${v.name}@${v.version}`, v] as const))('%s means what it meant when it was published', (name, view) => {
  expect(viewFingerprint(view), `${name}: a change of meaning needs the next version`).toBe(PUBLISHED[name])
})

it('a change of an expression, a unit, the order or the time to live is another fingerprint; one of owner, description or emission is not', () => {
  const before = viewFingerprint(sepsisView)
  const [first, second, ...rest] = sepsisView.names
  expect(viewFingerprint({ ...sepsisView, names: [second!, first!, ...rest] })).not.toBe(before)
  expect(viewFingerprint({ ...sepsisView, ttlMs: sepsisView.ttlMs + 1 })).not.toBe(before)
  expect(viewFingerprint({ ...sepsisView, expressions: sepsisView.expressions.with(0, sepsisView.expressions[1]!) })).not.toBe(before)
  expect(viewFingerprint({ ...sepsisView, owner: 'other', description: 'other', emit: { ...sepsisView.emit, everyMs: 1 } })).toBe(before)
})
