import { LatidoError } from '../../../streams/errors/index.ts'

/** Something wrong in a file of the feeds' folder. `file` is its name in the folder. */
export interface FeedFault {
  readonly file: string
  readonly line: number
  readonly why: string
}

export function lineOfFault ({ file, line, why }: FeedFault): string { return `${file}:${line}: ${why}` }

const SHOWN_MAX = 1_000

/** One failure for all of them, a line each. Where all are of tables it is FILE_INVALID, else CONFIG_INVALID. */
export function feedsInvalid (faults: readonly FeedFault[]): LatidoError {
  const lines = faults.slice(0, SHOWN_MAX).map(lineOfFault)
  const count = faults.length === 1 ? [] : [`${faults.length} faults in the files of the feeds${faults.length > SHOWN_MAX ? `, of which the first ${SHOWN_MAX} are told` : ''}`]
  return new LatidoError(faults.every(({ file }) => file.endsWith('.csv')) ? 'FILE_INVALID' : 'CONFIG_INVALID', [...lines, ...count].join('\n'), 'mend the files; "latido feeds check DIR" looks at them without starting')
}
