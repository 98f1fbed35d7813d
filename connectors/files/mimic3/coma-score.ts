import type { ItemRole } from './items.ts'

/** The parts of the Glasgow score and their largest points (Teasdale and Jennett 1974); the least is 1. */
export const GCS_PARTS: Readonly<Record<GcsPart, number>> = { 'gcs-eye': 4, 'gcs-verbal': 5, 'gcs-motor': 6 }
export type GcsPart = Extract<ItemRole, 'gcs-eye' | 'gcs-verbal' | 'gcs-motor'>

export function isGcsPart (role: ItemRole): role is GcsPart { return Object.hasOwn(GCS_PARTS, role) }

export interface ComaScore { readonly total: number, readonly arrival: number, readonly flags: number }

interface Parts { readonly points: Map<GcsPart, number>, arrival: number, flags: number }

/**
 * MetaVision charts the three parts in rows of their own, stored minutes apart; the total is known when the last part of the same
 * charttime is stored. No part is guessed.
 */
export class ComaScores {
  readonly #open = new Map<string, Parts>()

  /** The score, when this part completes it. A part that is told twice counts as told last. */
  add (part: GcsPart, patient: number, chartedFor: number, arrival: number, points: number, flags: number): ComaScore | undefined {
    const key = `${patient}@${chartedFor}`
    const parts: Parts = this.#open.get(key) ?? { points: new Map(), arrival, flags: 0 }
    parts.points.set(part, points)
    parts.arrival = Math.max(parts.arrival, arrival)
    parts.flags |= flags
    if (parts.points.size < 3) {
      this.#open.set(key, parts)
      return undefined
    }
    this.#open.delete(key)
    return { total: [...parts.points.values()].reduce((sum, n) => sum + n, 0), arrival: parts.arrival, flags: parts.flags }
  }

  get incomplete (): number { return this.#open.size }
}
