import { createContext, useContext, useEffect, useMemo, type ReactNode } from 'react'
import { useStored } from '../shell/stored.ts'
import { formatter, type Format } from './format.ts'
import { pickLanguage, translator, type Language, type Translate } from './translate.ts'

export interface I18n { readonly language: Language, readonly choose: (language: Language) => void, readonly t: Translate, readonly format: Format }

const Context = createContext<I18n | undefined>(undefined)

/** The reader's language; remembered by the browser. */
export function I18nProvider ({ children }: { readonly children: ReactNode }): ReactNode {
  const [stored, choose] = useStored('latido.language', '')
  const language = pickLanguage(stored === '' ? null : stored, navigator.languages)
  const value = useMemo<I18n>(() => ({ language, choose, t: translator(language), format: formatter(language) }), [language, choose])
  useEffect(() => { document.documentElement.lang = language }, [language])
  return <Context value={value}>{children}</Context>
}

export function useI18n (): I18n {
  const value = useContext(Context)
  if (value === undefined) throw new Error('useI18n outside of I18nProvider')
  return value
}
