import type { OutboundAlert, OutboundBatch, OutboundClinicalScore, OutboundItem, OutboundLane, OutboundScore, OutboundSource } from '../../../../connectors/kit/index.ts'

export const T: number = Date.UTC(2026, 2, 14, 12)

export function alert (changes: Partial<OutboundAlert> = {}): OutboundAlert {
  return {
    kind: 'alert', patient: { id: 'HOSP|MRN-77', familyName: 'Invented', givenName: 'Ana' }, place: { ward: 'W7', bed: '2' }, id: 'alert-1', rule: 'news2-emergency', priority: 'high', state: 'active',
    raisedAt: T, changedAt: T, onset: T - 60_000, value: 8, threshold: 7, missing: [], basis: 'news2@1',
    reasons: [{ feature: 'news2Respiration', value: 28, contribution: 3, eventTime: T - 60_000 }, { feature: 'news2Oxygen', value: null, contribution: 2, eventTime: null }],
    ...changes,
  }
}

export function score (changes: Partial<OutboundScore> = {}): OutboundScore {
  return { kind: 'score', patient: { id: 'MRN-77' }, model: 'sepsis', version: '1', asOf: T, probability: 0.4215, reasons: [{ feature: 'lactateLast', value: 3.1, contribution: 0.8, eventTime: T - 1_000 }], ...changes }
}

export function clinicalScore (changes: Partial<OutboundClinicalScore> = {}): OutboundClinicalScore {
  const points = { news2Respiration: 3, news2Spo2: 1, news2Oxygen: 2, news2Systolic: 0, news2Pulse: 1, news2Consciousness: 0 }
  return { kind: 'clinical-score', patient: { id: 'MRN-77' }, score: 'news2', basis: 'news2@1', asOf: T, value: 7, missing: ['news2Temperature'], parts: Object.entries(points).map(([feature, n]) => ({ feature, points: n, eventTime: T - 60_000 })), ...changes }
}

/** A log of items with positions, one a lane, that outlive whoever reads it: one item a batch, and those not done come again. */
export class ItemLog {
  readonly items: OutboundItem[]
  readonly #done = { alerts: 0, scores: 0 }
  constructor (...items: OutboundItem[]) { this.items = items }

  get done (): number { return this.#done.alerts + this.#done.scores }

  /** A reader begins at the position. */
  source (lane: OutboundLane): OutboundSource {
    let at = this.#done[lane]
    return {
      next: async maxWaitMs => {
        const item = this.items.filter(({ kind }) => (kind === 'alert') === (lane === 'alerts'))[at]
        if (item === undefined) { await new Promise(resolve => { setTimeout(resolve, Math.min(5, maxWaitMs)) }); return { items: [], done: () => Promise.resolve() } }
        at++
        return { items: [item], done: () => { this.#done[lane]++; return Promise.resolve() } } satisfies OutboundBatch
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
  }
}
