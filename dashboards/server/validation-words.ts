import type { FastifyError } from 'fastify'
import { sentenceOf } from '../../streams/shapes/index.ts'

type Validation = NonNullable<FastifyError['validation']>[number]
type Issue = Parameters<typeof sentenceOf>[0]

/** What a request brought, by the part that was checked. */
export interface Brought { readonly querystring: unknown, readonly params: unknown, readonly body: unknown }

/** The part of a request as people call it. */
const PARTS: Readonly<Record<string, string>> = { querystring: 'query', params: 'path', body: 'body' }

/** Who did something: a role or a pseudonym. */
export const ROLE_PATTERN = '^[\\p{L}\\p{N} ._:-]+$'
const PATTERNS: Readonly<Record<string, string>> = { [ROLE_PATTERN]: 'letters, digits, blanks, ".", "_", ":" and "-" alone' }

/** What JSON Schema found, in the words that configuration has: `query.limit: it is too small; expected: at least 1`. What stands there is not repeated: it may be a patient's. */
export function validationLine (faults: readonly Validation[], part: string | undefined, brought: Brought): string {
  return faults.map(({ keyword, instancePath, params }) => {
    const steps = instancePath.split('/').slice(1).map(step => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    const missing = keyword === 'required' ? [String(params['missingProperty'])] : []
    const input = steps.reduce<unknown>((at, step) => (at as Readonly<Record<string, unknown>> | undefined)?.[step], part === undefined ? undefined : brought[part as keyof Brought])
    return `${[PARTS[part ?? ''] ?? 'request', ...steps, ...missing].join('.')}: ${why(keyword, params, input)}`
  }).join('; ')
}

function why (keyword: string, params: Validation['params'], input: unknown): string {
  const limit = Number(params['limit'])
  const of = typeof input === 'string' ? 'string' : Array.isArray(input) ? 'array' : 'number'
  switch (keyword) {
    case 'required': return 'it is missing'
    case 'type': return worded({ code: 'invalid_type', expected: typeOf(params['type']), input })
    case 'enum': return worded({ code: 'invalid_value', values: params['allowedValues'] as string[], input })
    case 'pattern': return `it is a text of another form; expected: ${PATTERNS[String(params['pattern'])] ?? 'as the description of the API says'}`
    case 'minimum': case 'minLength': case 'minItems': return worded({ code: 'too_small', origin: of, minimum: limit, inclusive: true, input })
    case 'exclusiveMinimum': return worded({ code: 'too_small', origin: of, minimum: limit, inclusive: false, input })
    case 'maximum': case 'maxLength': case 'maxItems': return worded({ code: 'too_big', origin: of, maximum: limit, inclusive: true, input })
    case 'exclusiveMaximum': return worded({ code: 'too_big', origin: of, maximum: limit, inclusive: false, input })
    default: return 'it is not as described'
  }
}

function worded (issue: object): string { return sentenceOf(issue as Issue, 'hidden') }

function typeOf (type: unknown): string { return type === 'integer' ? 'int' : String(type) }
