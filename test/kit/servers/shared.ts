import { inject } from 'vitest'
import type { ListenerName } from './kafka-properties.ts'

/** A broker that other test files use at the same time: topics, groups and transactional ids take a prefix of their own. */
export interface SharedKafka {
  readonly bootstrap: string
  readonly listeners: Readonly<Record<ListenerName, string>>
  /** The certificate to trust (PEM) at `tls` and `scram-tls`. */
  readonly caFile: string
}

export interface SharedApicurio { readonly url: string }

export interface SharedHapiFhir { readonly url: string }

/** One broker per test run, started when it is first asked for (about 4 s). */
export function sharedKafka (): Promise<SharedKafka> { return ask('/kafka') as Promise<SharedKafka> }

/** One registry per test run. Subjects take a prefix of their own. */
export function sharedApicurio (): Promise<SharedApicurio> { return ask('/apicurio') as Promise<SharedApicurio> }

/** One FHIR server per test run, started when it is first asked for: about half a minute, so a hook that asks needs a long limit. Tests take patients of their own. */
export function sharedHapiFhir (): Promise<SharedHapiFhir> { return ask('/hapi-fhir') as Promise<SharedHapiFhir> }

/** Prints a line once per run, however many test files say it. */
export async function sayOnce (line: string): Promise<void> { await ask(`/say?line=${encodeURIComponent(line)}`) }

async function ask (path: string): Promise<unknown> {
  const response = await fetch(inject('testServers') + path)
  if (!response.ok) throw new Error(await response.text())
  return response.json()
}
