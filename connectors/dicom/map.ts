import { createHash } from 'node:crypto'
import { identifierOf, note, type MapContext, type MappedMessage, type MessageMapper, type Notices } from '../kit/index.ts'
import type { RefusalCause, StatementEvent } from '../../streams/events/index.ts'
import { codeOf } from './codes.ts'
import type { OrthancOptions } from './options.ts'
import { readNotice, type StudyNotice } from './study.ts'
import { dicomTime } from './time.ts'

/** A study to one statement of kind `imaging`, whose value counts its series. A study that grew replaces it, one that is gone withdraws it. */
export function orthancMapper (options: OrthancOptions): MessageMapper {
  const source = `dicom:${options.source}`
  return (raw, context) => {
    const notices: Notices = new Map()
    const notice = readNotice(raw)
    if (notice === undefined) return { kind: 'rejected', source, fault: { cause: 'malformed', detail: 'not a study as it is read here' }, notices }
    const read = mapStudy(notice, options, context, source, notices)
    if ('cause' in read && !notice.gone) return { kind: 'rejected', source, fault: read, notices }
    const message: Omit<Extract<MappedMessage, { kind: 'mapped' }>, 'events'> = { kind: 'mapped', source, id: `${notice.orthancId}.${notice.version}`, content: Buffer.from(JSON.stringify([notice.gone, notice.tags])), refused: [], notices }
    if (!('cause' in read)) return { ...message, events: [read] }
    note(notices, 'gone-was-never-taken') // nothing was stated that could be withdrawn
    return { ...message, events: [] }
  }
}

interface Stated { readonly patient: { readonly id: string }, readonly event: StatementEvent }
interface Fault { readonly cause: RefusalCause, readonly detail: string }

function mapStudy ({ tags, gone }: StudyNotice, options: OrthancOptions, context: MapContext, source: string, notices: Notices): Stated | Fault {
  const { mapping, now } = context
  if (tags.patientId === '') return { cause: 'patient-missing', detail: 'PatientID (0010,0020) is empty' }
  const id = identifierOf(mapping, tags.issuer === '' ? options.issuer : tags.issuer, tags.patientId)
  if (id === undefined) return { cause: 'patient-missing', detail: 'the mapping does not know the authority of PatientID (IssuerOfPatientID 0010,0021, else the feed\'s issuer)' }
  if (tags.studyInstanceUid === '') return { cause: 'malformed', detail: 'StudyInstanceUID (0020,000D) is empty' }
  const code = codeOf(tags)
  if (code === undefined) return { cause: 'code-unknown', detail: 'neither ProcedureCodeSequence (0008,1032) nor Modality (0008,0060) says what was done' }
  const time = dicomTime(tags.studyDate, tags.studyTime, tags.timezoneOffset, mapping.zone)
  if (time.kind === 'unparsable') return { cause: 'time-unparsable', detail: 'StudyDate (0008,0020) or StudyTime (0008,0030) is no time' }
  if (time.kind === 'implausible') return { cause: 'time-implausible', detail: 'StudyDate (0008,0020) is before X-rays were known' }
  if (time.at > now + options.futureToleranceMs && !gone) return { cause: 'time-in-future', detail: 'StudyDate (0008,0020) is ahead of the log\'s clock' }
  if (time.at > now && !gone) note(notices, 'time-clamped')
  const event: StatementEvent = {
    type: 'statement', kind: 'imaging', source, statementId: createHash('sha256').update(tags.studyInstanceUid).digest('hex').slice(0, 32), status: gone ? 'withdrawn' : 'completed',
    ...code, eventTime: Math.min(time.at, now), endTime: -1, value: tags.series, unit: '{series}',
  }
  return { patient: { id }, event }
}
