import type { ReactNode } from 'react'

interface Props {
  /** 0 to 1; -1 to 1 when `signed`. */
  readonly share: number
  readonly signed?: boolean
  /** Where a limit stands, 0 to 1. */
  readonly mark?: number
  readonly strong?: boolean
}

const clamp = (x: number): number => Math.min(1, Math.max(-1, x))

/** A small bar, as a drawing: the number beside it says the same in text. */
export function ShareBar ({ share, signed = false, mark, strong = false }: Props): ReactNode {
  const width = Math.abs(clamp(share)) * (signed ? 50 : 100)
  const left = signed ? share < 0 ? 50 - width : 50 : 0
  return (
    <svg className={`bar ${strong ? 'bar-strong' : ''} ${signed && share < 0 ? 'bar-below' : ''}`} viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      <rect className="bar-ground" x="0" y="0" width="100" height="10" />
      <rect className="bar-fill" x={left} y="0" width={width} height="10" />
      {signed && <rect className="bar-zero" x="49.6" y="0" width="0.8" height="10" />}
      {mark !== undefined && <rect className="bar-mark-edge" x={clamp(mark) * 100 - 1.4} y="0" width="2.8" height="10" />}
      {mark !== undefined && <rect className="bar-mark" x={clamp(mark) * 100 - 0.6} y="0" width="1.2" height="10" />}
    </svg>
  )
}
