import { SEARCH_LIMITS } from './port.ts'

/** Without case, diacritics and doubled spaces: as people compare names of places. `ß` is `ss`, a full-width letter is a letter. */
export function fold (text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toUpperCase().toLowerCase().normalize('NFKD').replace(/\p{M}/gu, '').replace(/\s+/gu, ' ').trim()
}

/** Words of letters and digits. An apostrophe joins (`O'Brien` is `obrien`), all else separates; bed `01` is bed `1`. */
export function wordsOf (text: string): readonly string[] {
  return (fold(text).replace(/['\u2018\u2019\u02bc`]/g, '').match(/[\p{L}\p{N}]+/gu) ?? []).map(word => cut(word.replace(/(?<!\d)0+(?=\d)/g, '')))
}

/** The words that a search asks for. */
export function wordsAsked (text: string): readonly string[] { return [...new Set(wordsOf(text))].slice(0, SEARCH_LIMITS.words) }

/** What finds a word: its beginnings, though no number is cut: `1` finds bed 1 and bed 1A, not bed 10, while `em` finds `emergency`. */
export function beginningsOf (word: string): readonly string[] {
  const letters = [...word]
  return letters.flatMap((letter, i) => isDigit(letter) && isDigit(letters[i + 1]) ? [] : [letters.slice(0, i + 1).join('')])
}

/** Whether `asked` finds `word`: exactly where it is one of `beginningsOf(word)`. */
export function finds (asked: string, word: string): boolean {
  return word.startsWith(asked) && !(isDigit(asked.at(-1)) && isDigit(word[asked.length]))
}

/** Each text as another one of ASCII alone, whose order by bytes is its order by units of a string. A separator (below `0`) stands before digits and letters, all else behind them. */
export function ascii (text: string): string {
  let encoded = ''
  for (const letter of text) encoded += /[a-z0-9]/.test(letter) ? letter : letter < '0' ? `!${hex(letter)}` : `~${hex(letter)}`
  return encoded
}

/** As `ascii`, as one word of RediSearch: letters, digits and underscores, so nothing in it means anything to its query language. */
export function asWord (text: string): string { return ascii(text).replace(/[!~]/g, '_') }

/** A word that has no stem: RediSearch also looks for what is left of a word without its ending, whatever the index was told, and nothing ends in a digit. */
export function asStemlessWord (text: string): string { return `${asWord(text)}0` }

function cut (word: string): string { return [...word].slice(0, SEARCH_LIMITS.wordLength).join('') }
function isDigit (letter: string | undefined): boolean { return letter !== undefined && /^\d$/.test(letter) }
function hex (letter: string): string { return letter.codePointAt(0)!.toString(16).padStart(6, '0') }
