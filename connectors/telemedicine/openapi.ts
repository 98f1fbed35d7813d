import { z } from 'zod'
import { ITEM_KINDS, type ItemKind } from './envelope.ts'
import { observationItem, questionnaireItem, symptomItem } from './items.ts'
import { REFUSALS } from './refusals.ts'
import { ROUTES } from './requests.ts'
import { REFUSAL_CAUSES } from '../../streams/events/index.ts'

const ITEMS: Readonly<Record<ItemKind, readonly [summary: string, item: z.ZodType]>> = {
  observations: ['Vitals measured at home', observationItem],
  symptoms: ['Reported symptoms, present or absent', symptomItem],
  questionnaires: ['Scored questionnaires', questionnaireItem],
}

/** The API in OpenAPI 3.1, made of the schemas that requests are read with. */
export function describeApi (): Readonly<Record<string, unknown>> {
  return {
    openapi: '3.1.0',
    info: { title: 'Latido telemedicine', version: '1', description: 'What phone apps and clinics send. An answer of 200 or 207 means that what was taken is durable.' },
    paths: Object.fromEntries(ITEM_KINDS.map(kind => [`/v1/${kind}`, { post: operation(kind) }])),
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'An OAuth 2 access token of the issuer, or a device token' } },
      schemas: { ...Object.fromEntries(ITEM_KINDS.map(kind => [kind, z.toJSONSchema(ITEMS[kind][1], { io: 'input', target: 'draft-2020-12' })])), outcomes: OUTCOMES, error: ERROR },
    },
  }
}

function operation (kind: ItemKind): Readonly<Record<string, unknown>> {
  const { scope, itemsMax } = ROUTES[kind]
  return {
    operationId: `write${kind[0]!.toUpperCase()}${kind.slice(1)}`,
    summary: ITEMS[kind][0],
    description: `Needs the scope ${scope}. Each item is taken or refused by itself.`,
    security: [{ token: [] }],
    parameters: [{ name: 'Idempotency-Key', in: 'header', required: true, schema: { type: 'string', pattern: '^[A-Za-z0-9._~:-]{1,128}$' }, description: 'New for each request, the same when it is sent again: within 72 hours the answer is the same' }],
    requestBody: { required: true, content: { 'application/json': { schema: requestSchema(kind, itemsMax) } } },
    responses: { ...outcomes(), ...refusals() },
  }
}

function requestSchema (kind: ItemKind, itemsMax: number): Readonly<Record<string, unknown>> {
  const patient = { type: 'object', required: ['id'], additionalProperties: false, description: 'Where a clinic writes: for whom', properties: { id: { type: 'string', minLength: 1, maxLength: 256 }, authority: { type: 'string', maxLength: 256 } } }
  return { type: 'object', required: ['items'], additionalProperties: false, properties: { patient, items: { type: 'array', minItems: 1, maxItems: itemsMax, items: { $ref: `#/components/schemas/${kind}` } } } }
}

function outcomes (): Readonly<Record<string, unknown>> {
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/outcomes' } } }
  return { 200: { description: 'All items were taken', content }, 207: { description: 'Some items were taken', content }, 422: { description: 'No item was taken', content } }
}

function refusals (): Readonly<Record<string, unknown>> {
  const byStatus = new Map<number, string[]>()
  for (const [code, [status]] of Object.entries(REFUSALS)) byStatus.set(status, [...byStatus.get(status) ?? [], code])
  return Object.fromEntries([...byStatus].map(([status, codes]) => [status, { description: codes.join(', '), content: { 'application/json': { schema: { $ref: '#/components/schemas/error' } } } }]))
}

const OUTCOMES = {
  type: 'object', required: ['taken', 'refused', 'items'], additionalProperties: false,
  properties: {
    taken: { type: 'integer', minimum: 0 }, refused: { type: 'integer', minimum: 0 },
    items: {
      type: 'array',
      items: {
        type: 'object', required: ['index', 'outcome'], additionalProperties: false,
        properties: {
          index: { type: 'integer', minimum: 0 }, outcome: { enum: ['taken', 'refused'] }, cause: { enum: [...REFUSAL_CAUSES] },
          path: { type: 'string', description: 'JSON pointer into the request' }, detail: { type: 'string' },
        },
      },
    },
  },
}

const ERROR = {
  type: 'object', required: ['error'],
  properties: { error: { type: 'object', required: ['code', 'message', 'action'], properties: { code: { enum: Object.keys(REFUSALS) }, message: { type: 'string' }, action: { type: 'string' } } } },
}
