import { createServer } from 'node:http'
import { once } from 'node:events'
import type { TestProject } from 'vitest/node'
import { startApicurio, type ApicurioServer } from './apicurio.ts'
import { startHapiFhir, type HapiFhirServer } from './hapi-fhir.ts'
import { startKafka, type KafkaServer } from './kafka.ts'
import { LISTENERS, type ListenerName } from './kafka-properties.ts'
import type { SharedApicurio, SharedHapiFhir, SharedKafka } from './shared.ts'

declare module 'vitest' {
  interface ProvidedContext { readonly testServers: string }
}

const NAMES = Object.keys(LISTENERS) as ListenerName[]
/** Whoever is to be taken for gone after a short silence has a broker or a group of its own: a busy machine must not make one of a member that is there. */
const PATIENT = { 'group.consumer.session.timeout.ms': '30000', 'broker.session.timeout.ms': '30000' }

/**
 * Servers that all test files of a run share, started when the first of them asks, ended with the run. The workers ask over
 * loopback HTTP, so that this process owns the servers and none outlives it.
 */
export default async function setup (project: TestProject): Promise<() => Promise<void>> {
  let kafka: Promise<KafkaServer> | undefined
  let apicurio: Promise<ApicurioServer> | undefined
  let hapiFhir: Promise<HapiFhirServer> | undefined
  const said = new Set<string>()
  const answer = async (url: URL): Promise<unknown> => {
    if (url.pathname === '/kafka') return addressesOf(await (kafka ??= startKafka({ listeners: NAMES, config: PATIENT })))
    if (url.pathname === '/apicurio') return { url: (await (apicurio ??= startApicurio())).url } satisfies SharedApicurio
    if (url.pathname === '/hapi-fhir') return { url: (await (hapiFhir ??= startHapiFhir())).url } satisfies SharedHapiFhir
    const line = url.searchParams.get('line') ?? ''
    if (!said.has(line)) process.stderr.write(`${line}\n`)
    said.add(line)
    return {}
  }
  const server = createServer((request, response) => {
    answer(new URL(request.url ?? '/', 'http://localhost')).then(
      body => { response.end(JSON.stringify(body)) },
      (e: unknown) => { response.writeHead(500).end(e instanceof Error ? e.stack : String(e)) })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  project.provide('testServers', `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`)
  return async () => {
    server.closeAllConnections()
    server.close()
    for (const started of [kafka, apicurio, hapiFhir]) await started?.then(s => s[Symbol.asyncDispose](), () => {})
  }
}

function addressesOf (kafka: KafkaServer): SharedKafka {
  return { bootstrap: kafka.bootstrap, listeners: Object.fromEntries(NAMES.map(name => [name, kafka.bootstrapOf(name)])) as SharedKafka['listeners'], caFile: kafka.caFile ?? '' }
}
