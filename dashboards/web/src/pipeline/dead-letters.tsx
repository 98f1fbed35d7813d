import type { ReactNode } from 'react'
import type { WirePipeline } from '../../../server/wire.ts'
import { useI18n } from '../i18n/index.tsx'
import { translateName } from '../i18n/translate.ts'
import { useServerNow } from '../live.ts'
import { Link } from '../shell/router.tsx'
import { ShareBar } from '../shell/share-bar.tsx'

/** What was refused: by cause, and the newest. Its raw bytes stay sealed. */
export function DeadLetters ({ letters }: { readonly letters: WirePipeline['deadLetters'] }): ReactNode {
  const { t, format } = useI18n()
  const now = useServerNow()
  const causes = Object.entries(letters.byCause).sort((a, b) => b[1] - a[1])
  const most = Math.max(1, ...causes.map(([, count]) => count))
  return (
    <section className="panel dead-letters" aria-labelledby="dead"><h2 id="dead">{t('pipeline.deadLetters')}</h2>
      {letters.total > 0 && <p><Link href="/deadletters">{t('pipeline.openLetters', { n: letters.open })}</Link></p>}
      {letters.total === 0 && <p className="quiet">{t('pipeline.noDeadLetters')}</p>}
      {causes.length > 0 && (
        <table>
          <thead><tr><th scope="col">{t('pipeline.cause')}</th><th scope="col" className="right">{t('pipeline.count')}</th><td /></tr></thead>
          <tbody>{causes.map(([cause, count]) => <tr key={cause}><th scope="row">{translateName(t, 'cause', cause)}</th><td className="right number">{format.number(count)}</td><td className="bar-cell"><ShareBar share={count / most} /></td></tr>)}</tbody>
        </table>
      )}
      {letters.newest.length > 0 && (
        <>
          <h3>{t('pipeline.newest')}</h3>
          <table>
            <thead><tr><th scope="col">{t('pipeline.cause')}</th><th scope="col">{t('pipeline.detail')}</th><th scope="col">{t('pipeline.source')}</th><th scope="col" className="right">{t('pipeline.bytes')}</th><th scope="col" className="right">{t('pipeline.refused')}</th></tr></thead>
            <tbody>{letters.newest.map(letter => <tr key={letter.offset}><th scope="row">{translateName(t, 'cause', letter.cause)}</th><td>{letter.detail}</td><td><code>{letter.source}</code></td><td className="right number">{format.number(letter.bytes)}</td><td className="right quiet">{t('reading.ago', { age: format.age(now - letter.refusedAt) })}</td></tr>)}</tbody>
          </table>
        </>
      )}
    </section>
  )
}
