import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describePatient, featuresMachine, type PatientHolding } from '../../../features/compute/index.ts'
import { STANDARD_VIEWS } from '../../../features/views/index.ts'
import { partitionFor } from '../../../streams/codec/index.ts'
import { findInTopic, type FoundRow, openSnapshotStore, type SnapshotsOf } from '../../../streams/engine/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import { openKafkaLog } from '../../../streams/log/index.ts'
import type { ArrivalTimeMs, Clock } from '../../../streams/time/index.ts'
import type { Config, KafkaConfig } from '../../config/index.ts'
import { pseudonymWith } from '../../security/index.ts'
import { clusterTopics, kafkaOptionsOf, prefixedLog } from '../log/index.ts'

const PROCESSOR = 'latido-features'
/** As many as --partitions allows. */
const PARTITIONS_MAX = 256

/** What is held for a patient as of an offset of the patient's partition; `held` is undefined for one that was merged into another. */
export interface PatientAt {
  readonly patient: string
  readonly partition: number
  /** Everything below this offset is in it. */
  readonly stamp: number
  readonly clock: ArrivalTimeMs
  readonly bytes: number
  readonly mergedInto: string | undefined
  readonly held: PatientHolding | undefined
}

interface Place { readonly partition: number, readonly found: FoundRow }

/**
 * Finds a patient, by pseudonym or by an identifier of the hospital, in the snapshots: those of the data directory, beside a running process
 * too, or those on the cluster. undefined: nothing is held. Throws FILE_UNREADABLE where there is no data directory.
 */
export async function readPatient (config: Config, clock: Clock, patient: string): Promise<PatientAt | undefined> {
  const named = pseudonymWith(config.keyFile === '' ? join(resolve(config.dataDir), 'keys', 'master.key') : config.keyFile, patient)
  const keys = named === undefined ? [patient] : [patient, named]
  const found = config.kafka === undefined ? await inDirectory(config, keys) : await onCluster(config, config.kafka, clock, keys)
  return found === undefined ? undefined : describe(found)
}

function describe ({ partition, found: { row } }: Place): PatientAt | undefined {
  const { key, stamp, clock, kind = 'state', bytes } = row
  const at = { patient: key, partition, stamp, clock, bytes: bytes.length }
  if (kind === 'empty') return undefined
  if (kind === 'merged') return { ...at, mergedInto: bytes.toString().replace(/^\S+ /, ''), held: undefined }
  return { ...at, mergedInto: undefined, held: describePatient(STANDARD_VIEWS, featuresMachine(STANDARD_VIEWS).codec.decode(bytes)) }
}

function snapshotsOf (partition: number): SnapshotsOf {
  const { name, codec } = featuresMachine(STANDARD_VIEWS)
  return { processor: PROCESSOR, machine: name, version: codec.version, partition }
}

async function inDirectory ({ dataDir }: Config, keys: readonly string[]): Promise<Place | undefined> {
  const directory = join(resolve(dataDir), 'snapshots')
  if (!existsSync(join(directory, 'data.mdb'))) throw new LatidoError('FILE_UNREADABLE', `there are no snapshots in ${dataDir}`, 'give the data directory with --data-dir, or the brokers with --kafka')
  await using store = openSnapshotStore(directory, { readOnly: true })
  for (let partition = 0; partition < PARTITIONS_MAX; partition++) {
    for (const key of keys) {
      const found = store.find(snapshotsOf(partition), key)
      if (found !== undefined) return { partition, found }
    }
  }
  return undefined
}

async function onCluster (config: Config, kafka: KafkaConfig, clock: Clock, keys: readonly string[]): Promise<Place | undefined> {
  const { log: cluster } = await openKafkaLog(kafkaOptionsOf(kafka, clock))
  await using closing = cluster
  const log = prefixedLog(closing, kafka.topicPrefix)
  await log.ensureTopics(clusterTopics(config))
  for (const key of keys) {
    const partition = partitionFor(Buffer.from(key), log.partitionsOf(`${PROCESSOR}.snapshots`))
    const found = await findInTopic(log, snapshotsOf(partition), key)
    if (found !== undefined) return { partition, found }
  }
  return undefined
}
