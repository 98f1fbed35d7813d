import { invalid } from '../http/index.ts'
import type { FhirClient } from '../http/index.ts'

export interface SmartConfiguration {
  readonly tokenEndpoint: string
  /** Empty: the server does not say. */
  readonly algorithms: readonly string[]
  /** Empty: the server does not say. */
  readonly capabilities: readonly string[]
}

/** `[base]/.well-known/smart-configuration` (SMART App Launch 2.2, conformance). Asked without a token. */
export async function discover (client: FhirClient): Promise<SmartConfiguration> {
  const { body } = await client.fetch('.well-known/smart-configuration', { authorized: false, headers: { accept: 'application/json' } })
  const said = parse(body)
  const tokenEndpoint = said['token_endpoint']
  if (typeof tokenEndpoint !== 'string' || !URL.canParse(tokenEndpoint)) throw invalid('to the SMART discovery names no token endpoint')
  return { tokenEndpoint, algorithms: words(said['token_endpoint_auth_signing_alg_values_supported']), capabilities: words(said['capabilities']) }
}

function parse (body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const said: unknown = JSON.parse(body.toString('utf8'))
    if (typeof said === 'object' && said !== null) return said as Record<string, unknown>
  } catch (e) {
    throw invalid('to the SMART discovery is no JSON', e)
  }
  throw invalid('to the SMART discovery is no object')
}

function words (value: unknown): readonly string[] { return Array.isArray(value) ? value.filter(one => typeof one === 'string') : [] }
