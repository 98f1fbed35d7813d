import type { ReactNode } from 'react'
import { useI18n } from '../i18n/index.tsx'
import { LANGUAGES, LANGUAGE_NAMES, pickLanguage } from '../i18n/translate.ts'
import { useLive, useServerNow } from '../live.ts'
import { ROLES, useRole } from './role.ts'
import { Link, usePlace } from './router.tsx'
import { useStored } from './stored.ts'
import { THEMES } from './theme.ts'

const PAGES = [{ href: '/', key: 'nav.ward' }, { href: '/pipeline', key: 'nav.pipeline' }, { href: '/feeds', key: 'nav.feeds' }, { href: '/deadletters', key: 'nav.deadLetters' }, { href: '/drift', key: 'nav.drift' }, { href: '/catalogue', key: 'nav.catalogue' }] as const

export function Header (): ReactNode {
  const { t } = useI18n()
  const { path } = usePlace()
  const isHere = (href: string): boolean => href === '/' ? path === '/' || path.startsWith('/patient/') : path === href
  return (
    <header className="top">
      <a className="skip" href="#content">{t('nav.skip')}</a>
      <Link href="/" className="brand"><Mark />Latido</Link>
      <nav aria-label={t('nav.label')}>
        {PAGES.map(({ href, key }) => <Link key={href} href={href} aria-current={isHere(href) ? 'page' : undefined}>{t(key)}</Link>)}
      </nav>
      <Connection />
      <Settings />
    </header>
  )
}

function Mark (): ReactNode {
  return <svg viewBox="0 0 32 20" width="32" height="20" aria-hidden="true"><path d="M1 11h7l3-8 5 15 4-11 2 4h9" fill="none" stroke="currentColor" strokeWidth="2.6" strokeLinecap="round" strokeLinejoin="round" /></svg>
}

/** Whether the stream is live, and how old its newest data are. */
function Connection (): ReactNode {
  const { t, format } = useI18n()
  const { connection, board } = useLive()
  const now = useServerNow()
  return (
    <p className={`connection connection-${connection}`}>
      <span className="connection-dot" aria-hidden="true" />
      <span role="status">{t(`live.${connection}`)}</span>
      {board !== undefined && <span className="quiet">{t('live.age', { age: format.age(now - board.now) })}</span>}
    </p>
  )
}

function Settings (): ReactNode {
  const { t, language, choose } = useI18n()
  const [theme, setTheme] = useStored('latido.theme', 'auto')
  const [role, setRole] = useRole()
  return (
    <div className="settings">
      <label>{t('settings.role')}
        <select name="role" value={role} onChange={event => { setRole(event.target.value) }}>{ROLES.map(one => <option key={one} value={one}>{t(`role.${one}`)}</option>)}</select>
      </label>
      <label>{t('settings.language')}
        <select name="language" value={language} onChange={event => { choose(pickLanguage(event.target.value, [])) }}>{LANGUAGES.map(one => <option key={one} value={one} lang={one}>{LANGUAGE_NAMES[one]}</option>)}</select>
      </label>
      <label>{t('settings.theme')}
        <select name="theme" value={theme} onChange={event => { setTheme(event.target.value) }}>{THEMES.map(one => <option key={one} value={one}>{t(`settings.theme.${one}`)}</option>)}</select>
      </label>
    </div>
  )
}
