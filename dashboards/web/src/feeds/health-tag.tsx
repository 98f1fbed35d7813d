import type { ReactNode } from 'react'
import type { WireHealth } from '../../../server/wire.ts'
import { useI18n } from '../i18n/index.tsx'
import { useServerNow } from '../live.ts'

/** How a connector stands, since when and why. */
export function HealthTag ({ health: { state, since, why } }: { readonly health: WireHealth }): ReactNode {
  const { t, format } = useI18n()
  const now = useServerNow()
  return (
    <span className="health" data-health={state}>
      <span className={state === 'up' ? '' : 'tag tag-strong'}>{t(`health.${state}`)}</span> <span className="quiet">{t('health.since', { age: format.age(now - since) })}</span>
      {why !== '' && <span className="health-why">{why}</span>}
    </span>
  )
}
