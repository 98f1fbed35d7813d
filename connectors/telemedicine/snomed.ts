const D = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 4, 0, 6, 7, 8, 9, 5], [2, 3, 4, 0, 1, 7, 8, 9, 5, 6], [3, 4, 0, 1, 2, 8, 9, 5, 6, 7], [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
  [5, 9, 8, 7, 6, 0, 4, 3, 2, 1], [6, 5, 9, 8, 7, 1, 0, 4, 3, 2], [7, 6, 5, 9, 8, 2, 1, 0, 4, 3], [8, 7, 6, 5, 9, 3, 2, 1, 0, 4], [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
] as const
const FIRST = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4] as const

/** How a digit is permuted at each place, counted from the right. */
const PLACES: readonly (readonly number[])[] = Array.from({ length: 8 }).reduce<number[][]>(places => [...places, places.length === 0 ? Array.from({ length: 10 }, (_, i) => i) : places.at(-1)!.map(digit => FIRST[digit]!)], [])

/**
 * Whether a code is the identifier of a SNOMED CT concept: 6 to 18 digits, `00` or `10` as the partition before the check digit, which is Verhoeff's
 * (SNOMED CT Release File Specifications, 6 and appendix C). A digit that was mistyped, or two that changed places, do not pass.
 */
export function isSnomedConcept (code: string): boolean {
  if (!/^[1-9]\d{5,17}$/.test(code) || !/[01]0\d$/.test(code)) return false
  let check = 0
  for (let i = 0; i < code.length; i++) check = D[check]![PLACES[i % 8]![Number(code[code.length - 1 - i])]!]!
  return check === 0
}
