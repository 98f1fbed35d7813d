import { useEffect, useSyncExternalStore } from 'react'
import { useStored } from './stored.ts'

export const THEMES = ['auto', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const systemDark = matchMedia('(prefers-color-scheme: dark)')

/** What the page is drawn in: the reader's choice, else the system's. Also puts it on the root element, for the style sheets. */
export function useTheme (): 'light' | 'dark' {
  const [chosen] = useStored('latido.theme', 'auto')
  const dark = useSyncExternalStore(listener => {
    systemDark.addEventListener('change', listener)
    return () => { systemDark.removeEventListener('change', listener) }
  }, () => systemDark.matches)
  const theme = chosen === 'light' || chosen === 'dark' ? chosen : dark ? 'dark' : 'light'
  document.documentElement.dataset['theme'] = theme
  useEffect(() => { document.documentElement.dataset['theme'] = theme }, [theme])
  return theme
}
