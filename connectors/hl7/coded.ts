import type { ConceptId } from '../../streams/events/index.ts'

/**
 * Answers that are words or codes, by concept. Consciousness: LOINC answer list of 67775-7 (and LA6560-2 for the C of ACVPU),
 * SNOMED CT findings, and the words of NEWS2 charts. Compared in lower case.
 */
const ANSWERS: Partial<Record<ConceptId, Readonly<Record<string, number>>>> = {
  consciousness: {
    'la9340-6': 0, 248234008: 0, a: 0, alert: 0, awake: 0, 'alert and oriented': 0,
    'la6560-2': 1, 130987000: 1, c: 1, confusion: 1, confused: 1, 'new confusion': 1, 'acute confusion': 1, 'newly confused': 1,
    'la17108-4': 2, 300202002: 2, v: 2, voice: 2, verbal: 2, 'responds to voice': 2, 'responsive to voice': 2, 'responds to verbal': 2,
    'la17107-6': 3, 450847001: 3, p: 3, pain: 3, painful: 3, 'responds to pain': 3, 'responsive to pain': 3,
    'la9343-0': 4, 422768004: 4, u: 4, unresponsive: 4, unconscious: 4,
  },
  oxygenTherapy: {
    n: 0, no: 0, none: 0, off: 0, air: 0, 'room air': 0, ra: 0, 373067005: 0, 'la32-8': 0,
    y: 1, yes: 1, on: 1, oxygen: 1, o2: 1, 'supplemental oxygen': 1, 'nasal cannula': 1, 'nasal cannulae': 1, 'venturi mask': 1, 'face mask': 1, mask: 1, 'non-rebreather mask': 1, 'high flow nasal cannula': 1, ventilator: 1, 373066001: 1, 'la33-6': 1,
  },
}

/** Concepts whose value is a code of ours: they have no unit. */
export function isCoded (concept: ConceptId): boolean { return ANSWERS[concept] !== undefined }

/** The first of the answer's spellings (codes and texts of the CWE, or the ST) that is known. */
export function parseAnswer (concept: ConceptId, spellings: readonly string[]): number | undefined {
  const answers = ANSWERS[concept]
  if (answers === undefined) return undefined
  for (const spelling of spellings) {
    const key = spelling.trim().toLowerCase()
    if (Object.hasOwn(answers, key)) return answers[key]
  }
  return undefined
}
