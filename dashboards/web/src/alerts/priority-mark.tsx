import type { ReactNode } from 'react'
import type { WireAlert } from '../../../server/wire.ts'
import { useI18n } from '../i18n/index.tsx'

const MARKS = { high: '!!!', medium: '!!', low: '!' } as const

/**
 * A priority by shape, number of marks, word and colour (IEC 60601-1-8: high red, medium yellow, low cyan).
 * Only an alert that holds and that nobody has acknowledged flashes.
 */
export function PriorityMark ({ alert }: { readonly alert: WireAlert }): ReactNode {
  const { t } = useI18n()
  return (
    <span className={`mark mark-${alert.priority} mark-${alert.state}`}>
      <span className="mark-sign" aria-hidden="true">{alert.state === 'acknowledged' || alert.state === 'cleared' ? '✓' : MARKS[alert.priority]}</span>
      <span className="mark-word">{t(`priority.${alert.priority}`)}</span>
    </span>
  )
}
