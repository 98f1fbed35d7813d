/** What becomes of a kind of message. */
export type Handling = 'encounter' | 'swap' | 'merge' | 'visit-move' | 'link' | 'unlink' | 'results' | 'specimen-results' | 'alarm' | 'orders' | 'archive'

/** ADT triggers (HL7 v2.8.2, chapter 3); all others of A01 to A62 are kept only. */
const ADT: Readonly<Record<string, Handling>> = {
  A01: 'encounter', A02: 'encounter', A03: 'encounter', A04: 'encounter', A06: 'encounter', A07: 'encounter', A08: 'encounter',
  A11: 'encounter', A12: 'encounter', A13: 'encounter', A28: 'encounter', A31: 'encounter',
  A17: 'swap',
  A24: 'link', A37: 'unlink',
  A45: 'visit-move',
  A18: 'merge', A30: 'merge', A34: 'merge', A36: 'merge', A40: 'merge', A47: 'merge',
}
const ADT_MAX = 62

/** An empty trigger is v2.1's. R30 to R32: point of care. R40: an alarm (IHE PCD-04). */
const ORU: Readonly<Record<string, Handling>> = { '': 'results', R01: 'results', R30: 'results', R31: 'results', R32: 'results', R40: 'alarm' }
const OUL: Readonly<Record<string, Handling>> = { R21: 'results', R22: 'specimen-results', R23: 'specimen-results', R24: 'results' }

const ORDERS: ReadonlySet<string> = new Set(['ORM', 'OML', 'OMG', 'OMI', 'OMP', 'RDE', 'RAS'])

/**
 * Types of HL7 table 0076 that tell and ask nothing, and that nothing is computed from: accounts, documents, schedules, referrals, charges,
 * problems, master files, vaccinations, laboratory automation. Queries and answers are not here: to accept a query is to owe its answer.
 */
const KEPT: ReadonlySet<string> = new Set([
  'BAR', 'BPS', 'BTS', 'CCM', 'CCR', 'CCU', 'CRM', 'CSU', 'DFT', 'EAC', 'EAN', 'EAR', 'EHC', 'ESU', 'INU', 'LSU', 'MDM', 'MFN', 'NMD', 'OMB', 'OMD', 'OMN', 'OMS',
  'OPL', 'OPR', 'OPU', 'OSU', 'PEX', 'PGL', 'PIN', 'PMU', 'PPG', 'PPP', 'PPR', 'PPT', 'PPV', 'RDS', 'REF', 'RGV', 'SDR', 'SIU', 'SSR', 'SSU', 'SUR', 'TCU', 'UDM', 'VXU',
])

const TRIGGER = /^(?:[A-Y]\d\d|)$/

/** undefined: unknown, or known with a trigger that it does not have. */
export function handlingOf (type: string, trigger: string): Handling | undefined {
  switch (type) {
    case 'ADT': return own(ADT, trigger) ?? (isMovement(trigger) ? 'archive' : undefined)
    case 'ORU': return own(ORU, trigger)
    case 'OUL': return own(OUL, trigger)
    default: return !TRIGGER.test(trigger) ? undefined : ORDERS.has(type) ? 'orders' : KEPT.has(type) ? 'archive' : undefined
  }
}

/** Whether the type is one that we take with other triggers (ERR 201, else 200). */
export function isKnownType (type: string): boolean { return type === 'ADT' || type === 'ORU' || type === 'OUL' || ORDERS.has(type) || KEPT.has(type) }

function isMovement (trigger: string): boolean {
  const number = /^A(\d\d)$/.exec(trigger)?.[1]
  return number !== undefined && Number(number) >= 1 && Number(number) <= ADT_MAX
}

function own (table: Readonly<Record<string, Handling>>, trigger: string): Handling | undefined { return Object.hasOwn(table, trigger) ? table[trigger] : undefined }
