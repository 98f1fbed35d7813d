import type { Segment } from './segment.ts'

/** PV1-19, else the alternate one of PV1-50; undefined: not said. */
export function visitNumberOf (pv1: Segment | undefined): string | undefined { return pv1?.said(19) || pv1?.said(50) || undefined }
