import { LatidoError } from '../../../streams/errors/index.ts'

/** Something wrong in a file of the feeds' folder. `file` is its name in the folder. */
export interface FeedFault {
  readonly file: string
  readonly line: number
  readonly why: string
}

export function lineOfFault ({ file, line, why }: FeedFault): string { return `${file}:${line}: ${why}` }

/** One failure for all of them: it names the first. Tables are FILE_INVALID, everything else CONFIG_INVALID. */
export function feedsInvalid (faults: readonly FeedFault[]): LatidoError {
  const [first] = faults as readonly [FeedFault, ...FeedFault[]]
  const more = faults.length === 1 ? '' : ` (and ${faults.length - 1} more)`
  return new LatidoError(first.file.endsWith('.csv') ? 'FILE_INVALID' : 'CONFIG_INVALID', `${lineOfFault(first)}${more}`, 'mend it; "latido feeds check DIR" lists all faults')
}
