import type { FastifyInstance } from 'fastify'
import type { Clock } from '../../streams/time/index.ts'
import { ApiError } from './api-error.ts'
import type { CodeToMap, FeedDesk, ReloadReport } from './feed-sources.ts'
import { exactly, listOf, ref, responses, text, timeMs } from './schemas.ts'
import type { WireFeed, WireFeeds } from './wire.ts'

/** Who it was, where the caller does not say. */
export const DEFAULT_ENGINEER = 'engineer'
export const ROLE: Readonly<Record<string, unknown>> = { type: 'string', minLength: 1, maxLength: 64, pattern: '^[\\p{L}\\p{N} ._:-]+$', description: 'role or pseudonym of who does it, never a name', default: DEFAULT_ENGINEER }

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

  app.post<{ Params: { name: string }, Body: CodeToMap & { by?: string } }>('/api/feeds/:name/codes', {
    bodyLimit: 4_096,
    schema: {
      summary: 'Maps a code: written into the feed\'s table, in effect at once', tags: ['feeds'], params: feedParams,
      body: { type: 'object', required: ['code', 'concept'], additionalProperties: false, properties: { system: { ...field('as the feed names it; empty: whatever the system'), default: '' }, code: field('as the feed sends it', 1), concept: field('id of a concept', 1), unit: { ...field('of values without a unit, or with one that means something else; empty: as sent'), default: '' }, replace: { type: 'boolean', default: false, description: 'also where the table says otherwise of this code' }, by: ROLE } },
      response: responses(ref('Feed'), 400, 403, 404, 409, 415, 500),
    },
  }, async ({ params: { name }, body: { system, code, concept, unit, replace, by } }): Promise<WireFeed> => {
    const outcome = await desk.mapCode(name, { system, code, concept, unit, ...replace === true ? { replace } : {} }, by ?? DEFAULT_ENGINEER)
    switch (outcome.kind) {
      case 'mapped': return outcome.feed
      case 'feed-unknown': throw new ApiError(404, 'FEED_UNKNOWN', 'no feed of this name runs here', 'GET /api/feeds lists the feeds')
      case 'invalid': throw new ApiError(400, 'CODE_INVALID', outcome.why, 'GET /api/feeds lists the concepts and their units')
      case 'mapped-otherwise': throw new ApiError(409, 'CODE_MAPPED', `the table says ${outcome.concept}${outcome.unit === '' ? '' : ` in ${outcome.unit}`} of this code already`, 'leave it, change the table, or say replace')
      case 'file-faulty': throw new ApiError(409, 'FILE_FAULTY', `the table has a fault and is not written over: ${outcome.why}`, 'mend the file, then map the code')
    }
  })
}
