import { expect, it } from 'vitest'
import { conformanceChecks, type ConformanceHarness } from '../../../connectors/conformance/index.ts'
import { runSource, type ConnectorKind, type Feed, type SourceMessage } from '../../../connectors/kit/index.ts'
import { harness } from '../../../connectors/template/harness.ts'

interface Options { readonly url: string, readonly pollEveryMs: number }
type Take = (raw: Buffer, position: string, feed: Feed, keep: (position: string) => Promise<void>) => Promise<void>

/** A connector that reads as the template does, and takes what it reads in a way of its own. */
function taking (take: Take, map: (kind: ConnectorKind<Options>) => ConnectorKind<Options> = kind => kind): ConformanceHarness<Options> {
  const kind: ConnectorKind<Options> = {
    ...harness.kind,
    start: ({ feed, clock, table }, { url }) => {
      const positions = table<string>('position')
      let after = [...positions.load()][0]?.[1] ?? ''
      const stop = new AbortController()
      const ended = (async () => {
        while (!stop.signal.aborted) {
          const page = await fetch(`${url}?after=${after}`).then(async r => await r.json() as { position: string }[]).catch(() => [])
          for (const { position, ...message } of page) {
            if (stop.signal.aborted) return
            await take(Buffer.from(JSON.stringify(message)), position, feed, reached => positions.save('position', reached)).then(() => { after = position }, () => {})
          }
          await clock.sleep(1_000, stop.signal)
        }
      })()
      return Promise.resolve({ name: 'canary', endpoint: url, health: () => ({ state: 'up' as const, since: 0, why: '' }), [Symbol.asyncDispose]: async () => { stop.abort(); await ended } })
    },
  }
  return { ...harness, kind: map(kind) }
}

const good: Take = async (raw, position, feed, keep) => { await feed.take(raw); await keep(position) }

/** A connector that reads by the kit, and hands it pages in a way of its own. */
function paging (pages: (url: string, after: string, signal: AbortSignal) => AsyncIterable<SourceMessage>): ConformanceHarness<Options> {
  const start: ConnectorKind<Options>['start'] = ({ feed, clock, table, say }, { url, pollEveryMs }) => Promise.resolve(runSource({ endpoint: url, read: ({ position, signal }) => pages(url, position ?? '', signal) }, { feed, clock, positions: table('position'), limits: { pollEveryMs }, say }))
  return { ...harness, kind: { ...harness.kind, start } }
}

async function pageOf (url: string, after: string, signal: AbortSignal): Promise<readonly SourceMessage[]> {
  const page = await (await fetch(`${url}?after=${after}`, { signal })).json() as { position: string }[]
  return page.map(({ position, ...message }) => ({ raw: Buffer.from(JSON.stringify(message)), position }))
}

async function * endOfPageAsPosition (url: string, after: string, signal: AbortSignal): AsyncIterable<SourceMessage> {
  const page = await pageOf(url, after, signal)
  for (const { raw } of page) yield { raw, position: page.at(-1)!.position! }
}

async function * everythingFirst (url: string, after: string, signal: AbortSignal): AsyncIterable<SourceMessage> {
  const all: SourceMessage[] = []
  for (let page; (page = await pageOf(url, all.at(-1)?.position ?? after, signal)).length > 0;) all.push(...page)
  yield * all
}

let copies = 0

async function failing (tried: ConformanceHarness<Options>): Promise<readonly string[]> {
  const failed: string[] = []
  for (const { name, run } of conformanceChecks({ ...tried })) await run().catch(() => { failed.push(name) })
  return failed
}

it('passes a connector that takes one after the other and keeps its position behind', async () => {
  expect(await failing(taking(good))).toEqual([])
}, 120_000)

it.each<readonly [string, ConformanceHarness<Options>, string]>([
  ['keeps the position before the log has the message', taking(async (raw, position, feed, keep) => { await keep(position); await feed.take(raw) }), 'loses nothing and takes nothing twice when it is killed at any effect'],
  ['swallows the failure of a log that is away', taking(async (raw, position, feed, keep) => { await feed.take(raw).catch(() => {}); await keep(position) }), 'waits while the log is away, and goes on when it is back'],
  ['gives a message another identity each time', taking(good, kind => ({ ...kind, mapper: options => (raw, context) => { const mapped = kind.mapper(options)(raw, context); return mapped.kind === 'mapped' ? { ...mapped, id: `${mapped.id} ${context.now} ${Math.random()}` } : mapped } })), 'takes a message that comes again once'],
  ['gives what it cannot read other bytes each time', taking((raw, position, feed, keep) => { const noted = raw.includes('fast') ? Buffer.concat([raw, Buffer.from(' '.repeat(++copies))]) : raw; return good(noted, position, feed, keep) }), 'loses nothing and takes nothing twice when it is killed at any effect'],
  ['keeps the end of a page as the position of each of its messages', paging(endOfPageAsPosition), 'loses nothing and takes nothing twice when it is killed at any effect'],
  ['reads all that there is before it hands on the first', paging(everythingFirst), 'holds back what it reads while the log is slow'],
  ['takes one more message when it has ended', { ...harness, kind: { ...harness.kind, start: async (context, options) => {
    const connector = await harness.kind.start(context, options)
    const late = harness.message('LATE', 1)
    return { name: connector.name, endpoint: connector.endpoint, health: () => connector.health(), [Symbol.asyncDispose]: async () => { await connector[Symbol.asyncDispose](); void context.clock.sleep(1).then(() => context.feed.take(late)) } }
  } } }, 'ends while it is busy, and goes on after a start'],
  ['leaves out what it cannot read', taking(good, kind => ({ ...kind, mapper: options => (raw, context) => { const mapped = kind.mapper(options)(raw, context); return mapped.kind === 'rejected' ? { kind: 'mapped', source: mapped.source, id: 'none', content: raw, events: [], refused: [], notices: new Map() } : mapped } })), 'makes a dead letter of what can never be taken, and goes on'],
])('a connector that %s fails', async (_, tried, check) => {
  const [found] = conformanceChecks(tried).filter(({ name }) => name === check)
  await expect(found!.run()).rejects.toThrow()
}, 120_000)

it('a fault is told in words: which messages are lost or came twice, and what is no connector', async () => {
  const told = async (tried: ConformanceHarness<Options>, check: string): Promise<string> => {
    const [found] = conformanceChecks(tried).filter(({ name }) => name === check)
    return await found!.run().then(() => 'nothing is wrong', (e: unknown) => (e as Error).message)
  }
  const newIdentity = taking(good, kind => ({ ...kind, mapper: options => (raw, context) => { const mapped = kind.mapper(options)(raw, context); return mapped.kind === 'mapped' ? { ...mapped, id: `${mapped.id} ${context.now} ${Math.random()}` } : mapped } }))
  expect(await told(newIdentity, 'takes a message that comes again once')).toMatch(/^18 messages are on the log, of 9 that were offered; there are 6 of P0, 6 of P1, 6 of P2; more than once: P0 of /)
  const noEnd: ConformanceHarness<Options> = { ...harness, kind: { ...harness.kind, start: () => Promise.resolve({ name: 'canary', endpoint: '', health: () => ({ state: 'up' as const, since: 0, why: '' }) } as never) } }
  expect(await told(noEnd, 'takes every message once')).toBe('what "start" answers is a connector: it has no [Symbol.asyncDispose]')
}, 120_000)
