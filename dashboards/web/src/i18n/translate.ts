import { en, type Dictionary, type MessageKey } from './en.ts'
import { es } from './es.ts'

export const LANGUAGES = ['en', 'es'] as const
export type Language = (typeof LANGUAGES)[number]
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: 'English', es: 'Español' }
export const DICTIONARIES: Readonly<Record<Language, Dictionary>> = { en, es }

export type Parameters = Readonly<Record<string, string | number>>
export type Translate = (key: MessageKey, parameters?: Parameters) => string

export function translator (language: Language): Translate {
  return (key, parameters) => fill(DICTIONARIES[language][key], parameters)
}

function fill (text: string, parameters: Parameters = {}): string {
  return text.replace(/\{(\w+)\}/g, (_whole, name: string) => String(parameters[name] ?? ''))
}

export function isMessageKey (key: string): key is MessageKey { return Object.hasOwn(en, key) }

/** `prefix.name` where the dictionary has it, else the name itself: what a newer server says is shown as it stands. */
export function translateName (t: Translate, prefix: string, name: string): string {
  const key = `${prefix}.${name}`
  return isMessageKey(key) ? t(key) : name
}

/** The language to begin with: what was chosen before, else the first of the browser's that we have. */
export function pickLanguage (chosen: string | null, wanted: readonly string[]): Language {
  const candidates = [chosen ?? '', ...wanted.map(tag => tag.slice(0, 2))]
  return candidates.map(tag => LANGUAGES.find(language => language === tag)).find(language => language !== undefined) ?? 'en'
}
