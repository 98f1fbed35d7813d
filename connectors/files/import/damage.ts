import type { MappedMessage, MessageMapper } from '../../kit/index.ts'

const PREFIX = 'latido-file-damaged\n'

/** Stands for the rest of a file that cannot be read: it becomes a dead letter, which nobody can retry; the file can be given again. */
export function damageOf (identity: string, records: number, why: string): Buffer { return Buffer.from(`${PREFIX}${JSON.stringify({ identity, records, why })}`) }

/** The mapper of a format, which also reads what stands for a damaged file. */
export function knowingDamage (map: MessageMapper, source: string): MessageMapper {
  return (raw, context) => raw.subarray(0, PREFIX.length).toString('latin1') === PREFIX ? refused(raw, source) : map(raw, context)
}

function refused (raw: Buffer, source: string): MappedMessage {
  const { why, records } = JSON.parse(raw.toString('utf8', PREFIX.length)) as { why: string, records: number }
  return { kind: 'rejected', source, fault: { cause: 'malformed', detail: `a file, behind its record ${records}: ${why}` }, notices: new Map() }
}
