import type { ReactNode } from 'react'
import type { WireClocks } from '../../../server/wire.ts'
import { useI18n } from '../i18n/index.tsx'
import { useServerNow } from '../live.ts'

/** Devices whose clocks are out, the worst first: which, by how much, and what it looks like. */
export function DeviceClocks ({ clocks }: { readonly clocks: WireClocks }): ReactNode {
  const { t, format } = useI18n()
  const now = useServerNow()
  const { byDistance, worst } = clocks
  const out = byDistance.seconds + byDistance.minutes + byDistance.hours + byDistance.days
  return (
    <>
      <h3>{t('clocks.title')}</h3>
      <p className="quiet">{t('clocks.counts', { inStep: format.number(byDistance.inStep), out: format.number(out), unknown: format.number(byDistance.unknown) })}</p>
      {worst.length > 0 && (
        <table className="unmapped clocks">
          <caption className="unseen">{t('clocks.title')}</caption>
          <thead><tr><th scope="col">{t('clocks.device')}</th><th scope="col">{t('clocks.off')}</th><th scope="col">{t('clocks.looks')}</th><th scope="col" className="right">{t('clocks.heard')}</th></tr></thead>
          <tbody>{worst.map(({ device, offsetMs, looks, heardAt }) => (
            <tr key={device} data-device={device}>
              <th scope="row"><code>{device}</code></th>
              <td data-label={t('clocks.off')}>{t(offsetMs > 0 ? 'clocks.behind' : 'clocks.ahead', { by: format.age(Math.abs(offsetMs)) })}</td>
              <td data-label={t('clocks.looks')}>{t(`clocks.looks.${looks}`)}</td>
              <td className="right quiet" data-label={t('clocks.heard')}>{t('reading.ago', { age: format.age(now - heardAt) })}</td>
            </tr>
          ))}</tbody>
        </table>
      )}
      {out > worst.length && <p className="quiet">{t('clocks.more', { n: format.number(out - worst.length) })}</p>}
    </>
  )
}
