import { useEffect, useRef, useState, type ReactNode } from 'react'
import type { WireAlert } from '../../../server/wire.ts'
import { useI18n } from '../i18n/index.tsx'
import { translateName } from '../i18n/translate.ts'
import { useLive } from '../live.ts'

/** Tells a screen reader of alerts that have come since the last board, and the window's title how many wait. */
export function NewAlerts (): ReactNode {
  const { t } = useI18n()
  const { board, connection } = useLive()
  const known = useRef<Set<string> | undefined>(undefined)
  const [said, setSaid] = useState<{ readonly high: string, readonly other: string }>({ high: '', other: '' })
  useEffect(() => {
    if (board === undefined) return
    const waiting = board.patients.flatMap(patient => patient.alerts).filter(alert => alert.state === 'active')
    const fresh = known.current === undefined ? [] : waiting.filter(alert => !known.current!.has(alert.id))
    known.current = new Set(waiting.map(alert => alert.id))
    const say = (alert: WireAlert): string => t('alert.new', { priority: t(`priority.${alert.priority}`).toLowerCase(), bed: `${alert.ward} ${alert.bed}`, rule: translateName(t, 'rule', alert.rule) })
    if (fresh.length > 0) setSaid({ high: fresh.filter(a => a.priority === 'high').map(say).join('. '), other: fresh.filter(a => a.priority !== 'high').map(say).join('. ') })
  }, [board, t])
  const waiting = board?.patients.reduce((n, patient) => n + patient.alerts.filter(a => a.state === 'active' || a.state === 'latched').length, 0) ?? 0
  useEffect(() => { document.title = connection === 'lost' ? `⚠ ${t('live.lost')} | Latido` : `${waiting > 0 ? `(${waiting}) ` : ''}Latido` }, [waiting, connection, t])
  return <><p className="unseen" aria-live="assertive">{said.high}</p><p className="unseen" aria-live="polite">{said.other}</p></>
}
