import { useEffect, useState, type ReactNode } from 'react'
import type { WireAlert } from '../../../server/wire.ts'
import { acknowledge, ApiFailure } from '../api.ts'
import { useI18n } from '../i18n/index.tsx'
import { translateName } from '../i18n/translate.ts'
import { every } from '../shell/browser-clock.ts'
import { useRole } from '../shell/role.ts'

/** How long after a click the alert may stay as it was before the button says so. */
const EFFECT_MAX_MS = 10_000

type Sending = { readonly kind: 'idle' | 'sending' } | { readonly kind: 'failed', readonly reason: string }

/** Asks; the alert itself changes only when the log has the acknowledgement and the live stream says so. */
export function AcknowledgeButton ({ alert }: { readonly alert: WireAlert }): ReactNode {
  const { t } = useI18n()
  const [role] = useRole()
  const [sending, setSending] = useState<Sending>({ kind: 'idle' })
  useEffect(() => sending.kind === 'sending' ? every(EFFECT_MAX_MS, () => { setSending({ kind: 'failed', reason: t('alert.unchanged') }) }) : undefined, [sending, t])
  const send = async (): Promise<void> => {
    setSending({ kind: 'sending' })
    try {
      await acknowledge(alert.id, role)
    } catch (error) {
      // Somebody else was faster: the live stream brings it.
      if (error instanceof ApiFailure && error.status === 409) return
      setSending({ kind: 'failed', reason: error instanceof ApiFailure ? error.message : t('live.lost') })
    }
  }
  const label = t('alert.acknowledgeOf', { rule: translateName(t, 'rule', alert.rule), bed: alert.bed })
  return (
    <>
      <button type="button" className="acknowledge" aria-label={label} disabled={sending.kind === 'sending'} onClick={() => { void send() }}>{sending.kind === 'sending' ? t('alert.sending') : t('alert.acknowledge')}</button>
      {sending.kind === 'failed' && <span className="acknowledge-failed" role="alert">{t('alert.failed', { reason: sending.reason })}</span>}
    </>
  )
}
