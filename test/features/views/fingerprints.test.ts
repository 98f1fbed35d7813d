import { expect, it } from 'vitest'
import { featureView, viewFingerprint } from '../../../features/define/index.ts'
import { ALL_VIEWS, deteriorationView, kidneyView, organsView, sepsisView } from '../../../features/views/index.ts'

/**
 * What each published view means. A model was trained on it, rows are stored under it: whoever changes a name, the order, a unit, the time to
 * live or an expression gives the view its next version, and adds a line here. A line that stands is not edited.
 */
const PUBLISHED: Readonly<Record<string, string>> = {
}

it.each([...ALL_VIEWS, deteriorationView, organsView, kidneyView].map(v => [`${v.name}@${v.version}`, v] as const))('%s means what it meant when it was published', (name, view) => {
  expect(viewFingerprint(view), `${name}: a change of meaning needs the next version`).toBe(PUBLISHED[name])
})

it('a change of an expression, a unit, the order or the time to live is another fingerprint; one of owner, description or emission is not', () => {
  const before = viewFingerprint(sepsisView)
  const [first, second, ...rest] = sepsisView.names
  expect(viewFingerprint({ ...sepsisView, names: [second!, first!, ...rest] })).not.toBe(before)
  expect(viewFingerprint({ ...sepsisView, ttlMs: sepsisView.ttlMs + 1 })).not.toBe(before)
  expect(viewFingerprint({ ...sepsisView, expressions: sepsisView.expressions.with(0, sepsisView.expressions[1]!) })).not.toBe(before)
  expect(viewFingerprint({ ...sepsisView, owner: 'other', description: 'other', emit: { ...sepsisView.emit, everyMs: 1 } })).toBe(before)
  expect(featureView).toBeTypeOf('function')
})
