import { Component, type ReactNode } from 'react'
import { useI18n } from '../i18n/index.tsx'

/** A page that fails must say so: a board that stands still looks like a calm ward. */
export class BrokenBoundary extends Component<{ readonly children: ReactNode }, { readonly broken: boolean }> {
  override state = { broken: false }
  static getDerivedStateFromError (): { broken: boolean } { return { broken: true } }
  override render (): ReactNode { return this.state.broken ? <Broken /> : this.props.children }
}

function Broken (): ReactNode {
  const { t } = useI18n()
  return (
    <div className="lost" role="alert">
      <div><strong>{t('broken.title')}</strong><span>{t('broken.detail')}</span></div>
      <button type="button" onClick={() => { location.reload() }}>{t('broken.reload')}</button>
    </div>
  )
}
