import { once } from 'node:events'
import { createServer } from 'node:http'
import type { ConformanceHarness, Counterparty } from '../conformance/index.ts'
import { connector } from './connector.ts'

/** A service that keeps readings and hands out those after a position, as the real one does. */
async function open (): Promise<Counterparty<{ readonly url: string, readonly pollEveryMs: number }>> {
  const readings: object[] = []
  let handedOut = 0
  const server = createServer((request, response) => {
    const after = Number(new URL(request.url ?? '', 'http://localhost').searchParams.get('after') ?? 0)
    handedOut = Math.max(handedOut, Math.min(after + 10, readings.length))
    response.setHeader('content-type', 'application/json').end(JSON.stringify(readings.slice(after, after + 10).map((reading, i) => ({ ...reading, position: String(after + i + 1) }))))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    options: () => ({ url: `http://127.0.0.1:${port}/readings`, pollEveryMs: 1_000 }),
    offer: messages => { for (const message of messages) readings.push(JSON.parse(message.toString()) as object) },
    handedOut: () => handedOut,
    delivered: kept => Number(kept('position').get('position') ?? 0),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** What the connector is tried with. */
export const harness: ConformanceHarness<{ readonly url: string, readonly pollEveryMs: number }> = {
  kind: connector,
  open,
  message: (patient, n) => Buffer.from(JSON.stringify({ id: `${patient}-${n}`, patient, code: 'HR', value: 60 + n, unit: '/min', at: new Date(1_780_000_000_000 + n * 1_000).toISOString() })),
  poison: Buffer.from(JSON.stringify({ id: 'bad', patient: 'P1', code: 'HR', value: 'fast', at: 'yesterday' })),
  inFlightMax: 16,
}
