import type { FastifyInstance } from 'fastify'
import type { Clock } from '../../streams/time/index.ts'
import { ApiError } from './api-error.ts'
import type { CodeToMap, FeedDesk, MapCodeOutcome, MappedCode, ReloadReport } from './feed-sources.ts'
import { exactly, listOf, ref, responses, text, timeMs, whole } from './schemas.ts'
import { ROLE_PATTERN } from './validation-words.ts'
import type { WireCodes, WireFeed, WireFeeds } from './wire.ts'

/** Who it was, where the caller does not say. */
export const DEFAULT_ENGINEER = 'engineer'
export const ROLE: Readonly<Record<string, unknown>> = { type: 'string', minLength: 1, maxLength: 64, pattern: ROLE_PATTERN, description: 'role or pseudonym of who does it, never a name', default: DEFAULT_ENGINEER }

const feedParams = exactly({ name: { type: 'string', minLength: 1, maxLength: 64 } })
const field = (description: string, minLength = 0): Readonly<Record<string, unknown>> => ({ type: 'string', minLength, maxLength: 200, description })

/** The running feeds, and their tables of codes. */
export function feedRoutes (app: FastifyInstance, desk: FeedDesk, clock: Clock): void {
  app.get('/api/feeds', { schema: { summary: 'The feeds: health, counts, codes that nothing maps', tags: ['feeds'], response: responses(exactly({ now: timeMs, feeds: listOf(ref('Feed')), concepts: listOf(exactly({ id: text, name: text, unit: { ...text, description: 'UCUM' } })) }), 403, 500) } },
    async (): Promise<WireFeeds> => ({ now: clock.now(), feeds: desk.feeds(), concepts: desk.concepts() }))

  app.post('/api/feeds/reload', {
    bodyLimit: 4_096,
    schema: { summary: 'Reads the files of the feeds again; faulty ones are refused and the last good ones stay', tags: ['feeds'], response: responses(exactly({ changed: listOf(text), refused: listOf(text) }), 400, 403, 415, 500) },
  }, async (): Promise<ReloadReport> => await desk.reload())

  codeRoutes(app, desk)
}

const SYSTEM = { ...field('as the feed names it; empty: whatever the system'), default: '' }
const CODE = field('as the feed sends it', 1)
const CONCEPT = field('id of a concept, or `ignore`', 1)
const UNIT = { ...field('of values without a unit, or with one that means something else; empty: as sent'), default: '' }
const CODES_MAX = 1_000

/** The rows of a feed's table: shown, written and taken out. */
function codeRoutes (app: FastifyInstance, desk: FeedDesk): void {
  app.get<{ Params: { name: string }, Querystring: { find: string, limit: number } }>('/api/feeds/:name/codes', {
    schema: {
      summary: 'The feed\'s own table of codes, in the order of its file', tags: ['feeds'], params: feedParams,
      querystring: { type: 'object', properties: { find: { ...field('in the system, the code or the concept'), default: '' }, limit: { type: 'integer', minimum: 1, maximum: CODES_MAX, default: 100 } } },
      response: responses(exactly({ total: whole, matching: whole, codes: listOf(exactly({ system: text, code: text, concept: text, unit: text })) }), 400, 403, 404, 409, 500),
    },
  }, async ({ params: { name }, query: { find, limit } }): Promise<WireCodes> => {
    const outcome = desk.codes(name, find, limit)
    return outcome.kind === 'codes' ? outcome.page : refuse(outcome)
  })

  app.post<{ Params: { name: string }, Body: CodeToMap & { by?: string } }>('/api/feeds/:name/codes', {
    bodyLimit: 4_096,
    schema: {
      summary: 'Maps a code, or ignores it: written into the feed\'s table, in effect at once', tags: ['feeds'], params: feedParams,
      body: {
        type: 'object', required: ['code', 'concept'], additionalProperties: false,
        properties: {
          system: SYSTEM, code: CODE, concept: CONCEPT, unit: UNIT, by: ROLE,
          was: { type: 'object', required: ['concept'], additionalProperties: false, properties: { concept: CONCEPT, unit: UNIT }, description: 'what the caller saw the table say of this code: changed where it says that still' },
          replace: { type: 'boolean', default: false, description: 'also where the table says otherwise of this code' },
        },
      },
      response: responses(ref('Feed'), 400, 403, 404, 409, 415, 500),
    },
  }, async ({ params: { name }, body: { system, code, concept, unit, was, replace, by } }): Promise<WireFeed> =>
    done(await desk.mapCode(name, { system, code, concept, unit, ...was === undefined ? {} : { was }, ...replace === true ? { replace } : {} }, by ?? DEFAULT_ENGINEER)))

  app.post<{ Params: { name: string }, Body: MappedCode & { by?: string } }>('/api/feeds/:name/codes/remove', {
    bodyLimit: 4_096,
    schema: {
      summary: 'Takes a row out of the feed\'s table if it still says this, in effect at once', tags: ['feeds'], params: feedParams,
      body: { type: 'object', required: ['code', 'concept'], additionalProperties: false, properties: { system: SYSTEM, code: CODE, concept: CONCEPT, unit: UNIT, by: ROLE } },
      response: responses(ref('Feed'), 400, 403, 404, 409, 415, 500),
    },
  }, async ({ params: { name }, body: { by, ...row } }): Promise<WireFeed> => done(await desk.removeCode(name, row, by ?? DEFAULT_ENGINEER)))
}

function done (outcome: MapCodeOutcome): WireFeed { return outcome.kind === 'mapped' ? outcome.feed : refuse(outcome) }

function refuse (outcome: Exclude<MapCodeOutcome, { readonly kind: 'mapped' }>): never {
  switch (outcome.kind) {
    case 'feed-unknown': throw new ApiError(404, 'FEED_UNKNOWN', 'no feed of this name runs here', 'GET /api/feeds lists the feeds')
    case 'invalid': throw new ApiError(400, 'CODE_INVALID', outcome.why, 'GET /api/feeds lists the concepts and their units')
    case 'mapped-otherwise': throw new ApiError(409, 'CODE_MAPPED', `the table says ${outcome.concept}${outcome.unit === '' ? '' : ` in ${outcome.unit}`} of this code already`, 'leave it, change the table, or say replace')
    case 'gone': throw new ApiError(409, 'CODE_GONE', 'the table says nothing of this code any more', 'leave it, or map the code')
    case 'file-faulty': throw new ApiError(409, 'FILE_FAULTY', `the table has a fault and is not written over: ${outcome.why}`, 'mend the file, then look again')
  }
}
