import { entityOf } from '../../features/entities/index.ts'
import type { OnlineRow, OnlineStore } from '../../features/online/index.ts'
import { onlineValue, tableOf } from '../../features/serving/index.ts'
import { ALERT_RULES, type AlertChange, type DriftResult } from '../../inference/alerts/index.ts'
import { ONLINE_TABLES } from '../../inference/processors.ts'
import { decodeEvent, patientKeyOf, TOPICS } from '../../streams/events/index.ts'
import type { RecordCursor } from '../../streams/log/index.ts'
import type { Clock } from '../../streams/time/index.ts'
import type { Config } from '../config/index.ts'
import { Closers } from './closers.ts'
import { openDataDir } from './data-dir.ts'
import { openRedisOnline } from './online/index.ts'
import { openKafkaStores, openStores, type OpenOnline, type Stores } from './stores.ts'

type Sources = Pick<Stores, 'log' | 'codecs' | 'vectors' | 'inference'>

/** Rows that are held before they are written. */
const HELD_MAX = 20_000
/**
 * Below the version of every row that the pipeline writes (whole numbers), and rising: what a processor has written stands,
 * and is written over a rebuilt row. Exact: offsets are below 2 to the power of 52.
 */
const versionOf = (offset: number): number => offset * 2 ** -52

export interface Rebuilt { readonly records: number, readonly rows: number }

/** Fills the online store of the configuration from its log, beside running instances on Kafka too. */
export async function rebuildOnlineOf (config: Config, clock: Clock): Promise<Rebuilt> {
  await using closers = new Closers()
  const { kafka, redis } = config
  const quiet = { info: () => {}, warn: () => {} }
  const openOnline: OpenOnline | undefined = redis === undefined ? undefined : owner => openRedisOnline(redis, owner, { clock, logger: quiet })
  const dir = closers.use(openDataDir(config.dataDir))
  const stores = kafka === undefined
    ? await openStores(dir, { clock, partitions: config.partitions, retentionMs: config.retentionMs, replay: false, openOnline }, closers)
    : await openKafkaStores(dir, config, kafka, { clock, onLookup: () => {}, openOnline }, closers)
  return await rebuildOnline(stores, stores.online)
}

/** The newest row of each (table, entity) that the log still has, into a store that has lost its rows. What is newer there stays. */
export async function rebuildOnline (sources: Sources, online: OnlineStore): Promise<Rebuilt> {
  let records = 0
  let rows = 0
  for (const [topic, rowsOf] of readers(sources)) {
    const held = new Map<string, OnlineRow>()
    const write = async (): Promise<void> => {
      rows += held.size
      await online.put([...held.values()])
      held.clear()
    }
    for await (const record of recordsOf(sources, topic)) {
      records++
      for (const row of rowsOf(record)) held.set(`${row.table}/${row.entity}`, row)
      if (held.size > HELD_MAX) await write()
    }
    await write()
  }
  return { records, rows }
}

type RowsOf = (record: RecordCursor) => readonly OnlineRow[]

function readers (sources: Sources): readonly (readonly [topic: string, rowsOf: RowsOf])[] {
  const { codecs, vectors, inference } = sources
  const vectorOf = (record: RecordCursor, entity: string): OnlineRow => {
    const vector = vectors.decode(record.valueBuffer, record.valueStart, record.valueEnd)
    return { table: tableOf({ name: vector.view, version: vector.version }), entity, version: versionOf(record.offset), value: onlineValue(vector) }
  }
  const isVector = ({ valueBuffer, valueStart, valueEnd }: RecordCursor): boolean => codecs.book.nameOf(valueBuffer, valueStart, valueEnd) === 'latido.FeatureVector'
  const alerts = new OpenAlerts()
  return [
    [TOPICS.features, record => {
      if (isVector(record)) return [vectorOf(record, patientKeyOf(record))]
      const decoded = decodeEvent(codecs.book, record)
      return decoded.kind !== 'refused' && decoded.value.type === 'encounter' ? [json('encounters', patientKeyOf(record), record, decoded.value)] : []
    }],
    [TOPICS.entityFeatures, record => isVector(record) ? [vectorOf(record, entityOf(patientKeyOf(record))[1])] : []],
    [TOPICS.scores, record => [json(ONLINE_TABLES.scores, patientKeyOf(record), record, inference.decode(record))]],
    [TOPICS.alerts, record => [json(ONLINE_TABLES.alerts, patientKeyOf(record), record, alerts.after(patientKeyOf(record), inference.decode(record) as AlertChange))]],
    [TOPICS.drift, record => {
      const drift = inference.decode(record) as DriftResult
      return [json(ONLINE_TABLES.drift, `${patientKeyOf(record)}/${drift.feature}`, record, drift)]
    }],
  ]
}

function json (table: string, entity: string, { offset }: RecordCursor, value: unknown): OnlineRow { return { table, entity, version: versionOf(offset), value: Buffer.from(JSON.stringify(value)) } }

/** The topic has changes; the online row has all alerts of a patient that are not cleared, a rule's newest each. */
class OpenAlerts {
  readonly #open = new Map<string, Map<string, AlertChange>>()

  after (patient: string, change: AlertChange): readonly AlertChange[] {
    const open = this.#open.get(patient) ?? new Map<string, AlertChange>()
    this.#open.set(patient, open)
    if (change.state === 'cleared') open.delete(change.rule); else open.set(change.rule, change)
    return ALERT_RULES.flatMap(rule => open.get(rule) ?? [])
  }
}

/** What the topic has now, partition by partition; what comes meanwhile is the processors' own. */
async function * recordsOf ({ log }: Sources, topic: string): AsyncGenerator<RecordCursor> {
  for (let partition = 0; partition < log.partitionsOf(topic); partition++) {
    const of = { topic, partition }
    const { start, end } = await log.range(of)
    const reader = log.reader(of, start)
    for (let run = await reader.next(); run !== undefined; run = await reader.next()) {
      while (run.records.next()) if (run.records.offset < end) yield run.records
      if (run.nextOffset >= end) break
    }
  }
}
