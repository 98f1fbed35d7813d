import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../../../streams/time/index.ts'
import { refuseOpenExposure, type Connector, type FeedMapping, type Intake } from '../../kit/index.ts'
import { listenOn, openListener } from '../listener.ts'
import { awayCard, cardsOf, type Card } from './cards.ts'
import { CDS_HOOKS_LIMITS, type CdsHooksLimits, type CdsHooksOptions } from './options.ts'
import { patientIdOf, readFeedback, readHookRequest, type Feedback } from './request.ts'
import type { PatientStanding, PatientStandings } from './standing.ts'
import { Trusting } from './trust.ts'

/** The service's id, in its address. */
export const SERVICE_ID = 'latido-patient-view'
const PATH = '/cds-services'
const SOURCE = 'cds-hooks'
/** Who acknowledged, where an EHR says that a person accepted the card. Feedback names nobody. */
const ACKNOWLEDGER = 'ehr'

export interface CdsHooksParts {
  readonly name: string
  readonly options: CdsHooksOptions
  readonly standings: PatientStandings
  /** What identifiers in a prefetched Patient mean. */
  readonly mapping: () => FeedMapping
  readonly count: Intake['count']
  readonly clock: Clock
  readonly limits?: Partial<CdsHooksLimits>
}

/**
 * A CDS Hooks 2.0 service for `patient-view`: open alerts, score, risk, how old the data are. An unknown patient gets no card, in the same time.
 * Feedback that accepts a card's suggestion is an acknowledgement. Throws UNSAFE_EXPOSURE, PORT_IN_USE, CONFIG_INVALID, FILE_UNREADABLE, FILE_INVALID.
 */
export async function startCdsHooks (parts: CdsHooksParts): Promise<Connector> {
  const { name, options, clock } = parts
  const { host, port, tls, clients } = options
  const limits: CdsHooksLimits = { ...CDS_HOOKS_LIMITS, ...parts.limits }
  refuseOpenExposure({ host, what: 'the CDS Hooks service', guarded: tls !== undefined && clients.length > 0, without: tls === undefined ? 'without TLS' : 'without clients whose tokens it could check', action: 'give it `tls` and `clients`' })
  const listener = { host, port, tls, what: 'the CDS Hooks service', bodyBytesMax: limits.bodyBytesMax, connectionsMax: limits.connectionsMax }
  const app = openListener(listener)
  const service = new Service(parts, limits, new Trusting(clients, clock, limits))
  service.route(app)
  const endpoint = await listenOn(app, listener)
  service.publicUrl = options.publicUrl ?? endpoint
  const since = clock.now()
  return { name, endpoint: `${endpoint}${PATH}`, health: () => ({ state: 'up', since, why: '' }), [Symbol.asyncDispose]: async () => { await app.close() } }
}

interface KeptCard { readonly alertId: string, readonly suggestion: string }

class Service {
  readonly #parts: CdsHooksParts
  readonly #limits: CdsHooksLimits
  readonly #trust: Trusting
  readonly #kept = new Map<string, KeptCard>()
  publicUrl = ''

  constructor (parts: CdsHooksParts, limits: CdsHooksLimits, trust: Trusting) {
    this.#parts = parts
    this.#limits = limits
    this.#trust = trust
  }

  route (app: FastifyInstance): void {
    const { corsOrigins } = this.#parts.options
    app.addHook('onRequest', async (request, reply) => {
      const { origin } = request.headers
      if (origin === undefined || !corsOrigins.includes(origin)) return
      void reply.headers({ 'access-control-allow-origin': origin, 'vary': 'origin', 'access-control-allow-headers': 'authorization, content-type', 'access-control-allow-methods': 'GET, POST' })
    })
    app.options('/*', async (_request, reply) => reply.code(204).send())
    app.get(PATH, async (_request, reply) => reply.send(DISCOVERY))
    app.post(`${PATH}/${SERVICE_ID}`, async (request, reply) => await this.#guarded(request, reply, `${PATH}/${SERVICE_ID}`, async () => { await this.#view(request, reply) }))
    app.post(`${PATH}/${SERVICE_ID}/feedback`, async (request, reply) => await this.#guarded(request, reply, `${PATH}/${SERVICE_ID}/feedback`, async () => { await this.#feedback(request, reply) }))
  }

  async #guarded (request: FastifyRequest, reply: FastifyReply, path: string, answer: () => Promise<void>): Promise<FastifyReply> {
    const trust = await this.#trust.check(request.headers.authorization, `${this.publicUrl}${path}`)
    if (trust.kind === 'trusted') { await answer(); return reply }
    this.#count(`unauthorised-${trust.why}`)
    return trust.why === 'keys-away' ? reply.code(503).header('retry-after', '5').send(said('the keys of the client cannot be fetched')) : reply.code(401).header('www-authenticate', 'Bearer').send(said(`no token that is accepted; it must be for ${this.publicUrl}${path}, and the counter unauthorised-... of ${SOURCE} says what was wrong`))
  }

  async #view (request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const call = readHookRequest(request.body)
    if (call === undefined) { this.#count('malformed'); await reply.code(400).send(said('this is no call of the hook patient-view: JSON with hook, hookInstance and context.patientId')); return }
    const id = patientIdOf(call, this.#parts.mapping(), this.#parts.options.logicalIdNamespace)
    // CDS Hooks 2.0, "HTTP Status Codes": 412 where what is needed is neither prefetched nor to be had.
    if (id === undefined) { this.#count('patient-missing'); await reply.code(412).send(said('the call does not say who the patient is: prefetch "patient" (GET /cds-services) as the Patient of context.patientId, with an identifier of a system that `namespaces` names')); return }
    const [cards] = await Promise.all([this.#cards(id), this.#parts.clock.sleep(this.#limits.answerMsMin)])
    await reply.send({ cards })
  }

  async #cards (id: string): Promise<readonly Card[]> {
    const { clock } = this.#parts
    const standing = await this.#standing(id)
    if (standing === 'away') { this.#count('away'); return [awayCard()] }
    this.#count('answered')
    if (standing === undefined) return []
    const { alerts, others } = cardsOf(standing, clock.now(), this.#limits.alertCardsMax)
    for (const { card, alertId, suggestion } of alerts) this.#keep(card.uuid, { alertId, suggestion })
    return [...alerts.map(({ card }) => card), ...others]
  }

  async #standing (id: string): Promise<PatientStanding | undefined | 'away'> {
    const { clock, standings } = this.#parts
    const done = new AbortController()
    try {
      return await Promise.race([standings.of(id), clock.sleep(this.#limits.standingMsMax, done.signal).then(() => 'away' as const)])
    } catch {
      return 'away'
    } finally {
      done.abort()
    }
  }

  async #feedback (request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const all = readFeedback(request.body)
    if (all === undefined) { this.#count('malformed'); await reply.code(400).send(said('this is no feedback: JSON with feedback, a list of card and outcome')); return }
    try {
      for (const one of all) await this.#take(one)
      await reply.code(200).send()
    } catch {
      this.#count('feedback-failed')
      await reply.code(503).header('retry-after', '5').send(said('the log is away: send the same again'))
    }
  }

  async #take ({ card, outcome, suggestions }: Feedback): Promise<void> {
    const kept = this.#kept.get(card)
    if (outcome === 'overridden') { this.#count('feedback-overridden'); return }
    if (kept === undefined || !suggestions.includes(kept.suggestion)) { this.#count(kept === undefined ? 'feedback-of-unknown-card' : 'feedback-accepted'); return }
    this.#count(await this.#parts.standings.acknowledge(kept.alertId, ACKNOWLEDGER) ? 'acknowledged' : 'acknowledged-already')
  }

  #keep (card: string, kept: KeptCard): void {
    if (this.#kept.size >= this.#limits.cardsKeptMax) for (const oldest of this.#kept.keys()) { this.#kept.delete(oldest); break }
    this.#kept.set(card, kept)
  }

  #count (what: string): void { this.#parts.count(SOURCE, what) }
}

/** For whoever connects an EHR: a status alone does not say what to mend. Nothing of the call is repeated. */
function said (message: string): { readonly message: string } { return { message } }

const DISCOVERY = {
  services: [{
    hook: 'patient-view', id: SERVICE_ID, title: 'Latido: alerts and scores',
    description: 'Open alerts of the patient, NEWS2, risk of sepsis with its reasons, and how old the data are.',
    prefetch: { patient: 'Patient/{{context.patientId}}' },
  }],
}
