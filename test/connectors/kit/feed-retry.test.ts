import { expect, test } from 'vitest'
import { Feed, fixedMapping, type MappedMessage } from '../../../connectors/kit/index.ts'
import { FakeIntake } from './fake-intake.ts'

const PATIENT = { id: 'MRN-1' }
const EVENT = { type: 'observations', kind: 'laboratory', source: 'toy:a', observations: [] } as const

/** `+` is a value, `-` a part that is refused, `x` a message that is refused, `!` throws. */
function toyFeed (intake: FakeIntake): Feed {
  const map = (raw: Buffer): MappedMessage => {
    const text = raw.toString()
    if (text === '!') throw new Error('a fault of ours')
    if (text === 'x') return { kind: 'rejected', source: 'toy:a', fault: { cause: 'patient-missing', detail: 'PID-3' }, notices: new Map() }
    const parts = [...text]
    return {
      kind: 'mapped', source: 'toy:a', id: 'm1', content: raw, notices: new Map(),
      events: parts.filter(part => part === '+').map(() => ({ patient: PATIENT, event: EVENT })),
      refused: parts.filter(part => part === '-').map(part => ({ fault: { cause: 'code-unknown', detail: 'OBX-3' }, raw: Buffer.from(part) })),
    }
  }
  return new Feed({ name: 'a', kind: 'toy', intake, mapping: fixedMapping(), map })
}

test('a letter that can be taken now is published, and a second time it is a duplicate', async () => {
  const intake = new FakeIntake()
  const feed = toyFeed(intake)
  expect(await feed.retry(Buffer.from('+'))).toMatchObject({ kind: 'taken', published: 1, duplicates: 0 })
  expect(await feed.retry(Buffer.from('+'))).toMatchObject({ kind: 'taken', published: 0, duplicates: 1 })
})

test('what is refused again as a whole is told, and no second letter is made', async () => {
  const intake = new FakeIntake()
  const feed = toyFeed(intake)
  expect(await feed.retry(Buffer.from('x'))).toEqual({ kind: 'refused', fault: { cause: 'patient-missing', detail: 'PID-3' } })
  expect(await feed.retry(Buffer.from('-'))).toEqual({ kind: 'refused', fault: { cause: 'code-unknown', detail: 'OBX-3' } })
  expect(await feed.retry(Buffer.from('!'))).toMatchObject({ kind: 'failed', fault: { cause: 'step-failed' } })
  expect(intake.refused).toEqual([])
})

test('of a letter that is taken in part the rest becomes letters of its own', async () => {
  const intake = new FakeIntake()
  expect(await toyFeed(intake).retry(Buffer.from('+-'))).toMatchObject({ kind: 'taken', published: 1 })
  expect(intake.refused.map(({ cause, raw, feed }) => [cause, raw.toString(), feed])).toEqual([['code-unknown', '-', 'a']])
})

test('while the log is away a retry rejects, and nothing is decided', async () => {
  const intake = new FakeIntake()
  intake.away = true
  await expect(toyFeed(intake).retry(Buffer.from('+'))).rejects.toMatchObject({ code: 'LOG_WRITE_FAILED' })
})

test('a code that is still unknown is not counted again', async () => {
  const intake = new FakeIntake()
  let counted = 0
  const map: ConstructorParameters<typeof Feed>[0]['map'] = (_raw, context) => {
    context.unmapped({ system: 'L', code: 'X', text: '', unit: '' })
    return { kind: 'rejected', source: 'toy:a', fault: { cause: 'code-unknown', detail: 'OBX-3' }, notices: new Map() }
  }
  const feed = new Feed({ name: 'a', kind: 'toy', intake, mapping: { ...fixedMapping(), unmapped: () => { counted++ } }, map })
  await feed.take(Buffer.from('x'))
  await feed.retry(Buffer.from('x'))
  expect(counted).toBe(1)
})
