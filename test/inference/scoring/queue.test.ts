import { describe, expect, it } from 'vitest'
import { QUEUE_DEFAULTS } from '../../../inference/scoring/index.ts'
import { ScoringQueue } from '../../../inference/scoring/queue.ts'
import { FakeWorker } from './fake-worker.ts'

function setUp (options: Partial<typeof QUEUE_DEFAULTS> = {}): { queue: ScoringQueue, workers: FakeWorker[], newest: () => FakeWorker } {
  const workers: FakeWorker[] = []
  const spawn = (): FakeWorker => { const worker = new FakeWorker(); workers.push(worker); return worker }
  return { queue: new ScoringQueue(spawn, { ...QUEUE_DEFAULTS, ...options }), workers, newest: () => workers.at(-1) as FakeWorker }
}

const row = (...values: number[]): Float32Array<ArrayBuffer> => Float32Array.from(values)

describe('the scoring queue', () => {
  it('holds calls until the worker is ready', async () => {
    const { queue, newest } = setUp()
    const score = queue.score('m', row(0.5, 0), 1)
    expect(newest().sent).toEqual([])
    newest().say({ kind: 'ready' })
    await queue.started()
    newest().answer(2)
    expect(Array.from(await score)).toEqual([0.5])
  })

  it('sends the calls that waited as one batch, and gives each its own scores', async () => {
    const { queue, newest } = setUp()
    newest().say({ kind: 'ready' })
    const first = queue.score('m', row(1, 0), 1)
    const others = [queue.score('m', row(2, 0, 3, 0), 2), queue.score('m', row(4, 0), 1)]
    newest().answer(2)
    expect(newest().sent).toHaveLength(2)
    newest().answer(2)
    expect(Array.from(await first)).toEqual([1])
    expect((await Promise.all(others)).map(s => Array.from(s))).toEqual([[2, 3], [4]])
  })

  it('does not join calls for different models, nor more rows than a batch may have', () => {
    const { queue, newest } = setUp({ batchRowsMax: 3 })
    newest().say({ kind: 'ready' })
    const calls = [queue.score('m', row(0), 1), queue.score('m', row(1), 1), queue.score('n', row(2), 1), queue.score('n', row(3, 4), 2), queue.score('n', row(5), 1)]
    for (let i = 0; i < 4; i++) newest().answer(1)
    expect(newest().sent.map(r => r.kind === 'score' ? [r.model, ...r.rows] : [])).toEqual([['m', 0], ['m', 1], ['n', 2, 3, 4], ['n', 5]])
    return Promise.all(calls)
  })

  it('refuses a call that would wait behind too many rows', async () => {
    const { queue, newest } = setUp({ queueRowsMax: 2 })
    const kept = [queue.score('m', row(1), 1), queue.score('m', row(2), 1)]
    await expect(queue.score('m', row(3), 1)).rejects.toMatchObject({ code: 'SCORER_FAILED', message: expect.stringContaining('rows wait') as unknown })
    newest().say({ kind: 'ready' })
    newest().answer(1)
    expect((await Promise.all(kept)).map(s => s[0])).toEqual([1, 2])
  })

  it('fails only what was under way when the worker dies, and scores the rest with a new one', async () => {
    const { queue, workers, newest } = setUp()
    newest().say({ kind: 'ready' })
    const lost = queue.score('m', row(1), 1)
    const waiting = queue.score('m', row(2), 1)
    newest().die('out of memory')
    await expect(lost).rejects.toMatchObject({ code: 'SCORER_FAILED', message: expect.stringContaining('out of memory') as unknown })
    expect(workers).toHaveLength(2)
    newest().say({ kind: 'ready' })
    newest().answer(1)
    expect(Array.from(await waiting)).toEqual([2])
  })

  it('ignores what a dead worker still says', async () => {
    const { queue, workers, newest } = setUp()
    newest().say({ kind: 'ready' })
    const lost = queue.score('m', row(1), 1)
    newest().die('gone')
    await expect(lost).rejects.toThrow('gone')
    const again = queue.score('m', row(7), 1)
    workers[0]?.say({ kind: 'ready' })
    expect(newest().sent).toEqual([])
    newest().say({ kind: 'ready' })
    newest().answer(1)
    expect(Array.from(await again)).toEqual([7])
  })

  it('gives up a worker that dies again and again, and refuses from then on', async () => {
    const { queue, workers, newest } = setUp({ restartsMax: 2 })
    newest().say({ kind: 'ready' })
    const waiting = queue.explain('m', Float64Array.of(1))
    const after = queue.score('m', row(1), 1)
    for (let i = 0; i < 3; i++) newest().die('bad model')
    await expect(waiting).rejects.toThrow('bad model')
    await expect(after).rejects.toMatchObject({ code: 'SCORER_FAILED', message: expect.stringContaining('3 times') as unknown })
    await expect(queue.score('m', row(1), 1)).rejects.toMatchObject({ code: 'SCORER_FAILED' })
    expect(workers).toHaveLength(3)
    await queue[Symbol.asyncDispose]()
  })

  it('rejects its start when a model cannot be loaded', async () => {
    const { queue, newest } = setUp()
    newest().say({ kind: 'refused', why: 'no such file' })
    await expect(queue.started()).rejects.toMatchObject({ code: 'MODEL_INVALID', message: expect.stringContaining('no such file') as unknown })
  })

  it('fails one call when the worker says that one failed, and goes on', async () => {
    const { queue, newest } = setUp()
    newest().say({ kind: 'ready' })
    const bad = queue.score('m', row(1), 1)
    const good = queue.score('m', row(2), 1)
    newest().say({ kind: 'failed', id: 1, why: 'no' })
    await expect(bad).rejects.toMatchObject({ code: 'SCORER_FAILED', message: 'no' })
    newest().answer(1)
    expect(Array.from(await good)).toEqual([2])
  })

  it('closes after what is under way, refuses what waits and whatever comes later', async () => {
    const { queue, newest } = setUp()
    newest().say({ kind: 'ready' })
    const underWay = queue.score('m', row(1), 1)
    const waiting = queue.score('m', row(2), 1)
    const closed = queue[Symbol.asyncDispose]()
    await expect(waiting).rejects.toThrow('closed')
    expect(newest().sent.map(r => r.kind)).toEqual(['score'])
    newest().answer(1)
    expect(Array.from(await underWay)).toEqual([1])
    await closed
    expect(newest().sent.map(r => r.kind)).toEqual(['score', 'close'])
    await expect(queue.score('m', row(3), 1)).rejects.toThrow('closed')
  })
})
