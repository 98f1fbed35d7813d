import type { ReactNode } from 'react'
import { NewAlerts } from './alerts/new-alerts.tsx'
import { BoardPage } from './board/board-page.tsx'
import { CataloguePage } from './catalogue/catalogue-page.tsx'
import { DeadLettersPage } from './dead-letters/dead-letters-page.tsx'
import { DriftPage } from './drift/drift-page.tsx'
import { FeedsPage } from './feeds/feeds-page.tsx'
import { useI18n } from './i18n/index.tsx'
import { useLive } from './live.ts'
import { PatientPage } from './patient/patient-page.tsx'
import { PipelinePage } from './pipeline/pipeline-page.tsx'
import { BrokenBoundary } from './shell/broken.tsx'
import { Header } from './shell/header.tsx'
import { LostBanner } from './shell/lost-banner.tsx'
import { Link, usePlace } from './shell/router.tsx'
import { useTheme } from './shell/theme.ts'

export function App (): ReactNode {
  const { t } = useI18n()
  useTheme()
  const { path } = usePlace()
  const { connection } = useLive()
  return (
    <BrokenBoundary key={path}>
      <Header />
      <LostBanner />
      <NewAlerts />
      <main id="content" tabIndex={-1} className={connection === 'lost' ? 'is-lost' : ''}><Page path={path} /></main>
      <footer><span>{t('footer.notice')}</span><a href="/api">{t('footer.api')}</a></footer>
    </BrokenBoundary>
  )
}

function Page ({ path }: { readonly path: string }): ReactNode {
  const { t } = useI18n()
  const patient = /^\/patient\/([^/]+)$/.exec(path)?.[1]
  if (patient !== undefined) return <PatientPage key={patient} patient={decodeURIComponent(patient)} />
  switch (path) {
    case '/': return <BoardPage />
    case '/pipeline': return <PipelinePage />
    case '/feeds': return <FeedsPage />
    case '/deadletters': return <DeadLettersPage />
    case '/drift': return <DriftPage />
    case '/catalogue': return <CataloguePage />
    default: return <p className="notice">{t('page.notfound')} <Link href="/">{t('page.toward')}</Link></p>
  }
}
