import { expect, it } from 'vitest'
import { FetchSession } from '../../../../../streams/log/kafka/direct/consumer/fetch-session.ts'
import { newPosition, type Position } from '../../../../../streams/log/kafka/direct/consumer/position.ts'

const LIMITS = { maxWaitMs: 100, maxBytes: 1000 }
const position = (partition: number, offset = 0): Position => newPosition({ topic: 't', topicId: 'id', partition }, offset, false, 10)
const epoch = (): number => 1
const asked = (session: FetchSession, positions: readonly Position[]): { readonly epoch: number, readonly id: number, readonly said: readonly (readonly number[])[], readonly forgotten: readonly number[] } => {
  const r = session.request(positions, epoch, LIMITS)
  return { epoch: r.sessionEpoch, id: r.sessionId, said: r.partitions.map(p => [p.partition, p.offset]), forgotten: r.forgotten.map(f => f.partition) }
}

it('a session begins with everything, then says only what has changed, and what is no longer wanted', () => {
  const session = new FetchSession()
  const [a, b] = [position(0), position(1)]
  expect(asked(session, [a, b])).toEqual({ id: 0, epoch: 0, said: [[0, 0], [1, 0]], forgotten: [] })
  session.answered(77)
  a.offset = 5
  expect(asked(session, [a, b])).toEqual({ id: 77, epoch: 1, said: [[0, 5]], forgotten: [] })
  session.answered(77)
  expect(asked(session, [b])).toEqual({ id: 77, epoch: 2, said: [], forgotten: [0] })
  session.answered(77)
  expect(asked(session, [a, b])).toEqual({ id: 77, epoch: 3, said: [[0, 5]], forgotten: [] })
})

it('after its loss everything is said again', () => {
  const session = new FetchSession()
  const a = position(0)
  asked(session, [a])
  session.answered(77)
  session.reset()
  expect(asked(session, [a])).toEqual({ id: 0, epoch: 0, said: [[0, 0]], forgotten: [] })
})

it('a broker without room for a session is told everything each time, in turns', () => {
  const session = new FetchSession()
  const [a, b] = [position(0), position(1)]
  expect(asked(session, [a, b]).said).toEqual([[0, 0], [1, 0]])
  session.answered(0)
  expect(asked(session, [a, b])).toEqual({ id: 0, epoch: 0, said: [[1, 0], [0, 0]], forgotten: [] })
  expect(session.closing()).toBeUndefined()
})
