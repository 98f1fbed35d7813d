import type { MappedEvent } from '../kit/index.ts'
import type { Hl7Fault, Notices } from './outcome.ts'

/** What was refused while the rest of its message goes on: its lines, and those of the segments that they need to be read. */
export interface RefusedRow { readonly fault: Hl7Fault, readonly rows: readonly number[], readonly needs: readonly number[] }

export type Mapped =
  | { readonly kind: 'rejected', readonly fault: Hl7Fault, readonly notices: Notices }
  /** `archived`: the message, or some of it, carries what is kept and not computed with. */
  | { readonly kind: 'mapped', readonly events: readonly MappedEvent[], readonly refused: readonly RefusedRow[], readonly archived: boolean, readonly notices: Notices }
