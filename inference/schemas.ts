import type { RecordSchema } from '../streams/events/index.ts'

const namespace = 'latido'
const millis = { type: 'long', logicalType: 'timestamp-millis' }
const reasons = {
  type: 'array', items: {
    type: 'record', name: 'Reason', fields: [
      { name: 'feature', type: 'string' }, { name: 'value', type: ['null', 'double'] }, { name: 'contribution', type: 'double' }, { name: 'eventTime', type: ['null', 'double'] },
    ],
  },
}

export const SCORE_SCHEMA: RecordSchema = {
  type: 'record', name: 'Score', namespace, doc: 'One score of one vector by one model.',
  fields: [
    { name: 'model', type: 'string' }, { name: 'modelVersion', type: 'string' }, { name: 'view', type: 'string' }, { name: 'viewVersion', type: 'int' }, { name: 'asOf', type: millis },
    { name: 'probability', type: 'double' }, { name: 'presentShare', type: 'double' }, { name: 'reasons', type: reasons },
  ],
}

export const ALERT_SCHEMA: RecordSchema = {
  type: 'record', name: 'AlertChange', namespace, doc: 'One change of one alert; the latest per id is its state.',
  fields: [
    { name: 'alertId', type: 'string' }, { name: 'rule', type: 'string' }, { name: 'priority', type: 'string' }, { name: 'state', type: 'string' },
    { name: 'raisedAt', type: millis }, { name: 'changedAt', type: millis }, { name: 'onsetEventTime', type: millis },
    { name: 'value', type: 'double' }, { name: 'threshold', type: 'double' }, { name: 'missing', type: { type: 'array', items: 'string' } }, { name: 'reasons', type: reasons },
    { name: 'acknowledgedBy', type: 'string' }, { name: 'basis', type: 'string' },
  ],
}

export const DRIFT_COUNTS_SCHEMA: RecordSchema = {
  type: 'record', name: 'DriftCounts', namespace, doc: 'Bin counts of one window of one partition, every feature of a view in order.',
  fields: [
    { name: 'view', type: 'string' }, { name: 'version', type: 'int' }, { name: 'windowStart', type: millis }, { name: 'windowEnd', type: millis },
    { name: 'counts', type: { type: 'array', items: { type: 'array', items: 'int' } } },
  ],
}

export const DRIFT_SCHEMA: RecordSchema = {
  type: 'record', name: 'DriftResult', namespace, doc: 'PSI of one feature in one window against its frozen reference.',
  fields: [
    { name: 'view', type: 'string' }, { name: 'viewVersion', type: 'int' }, { name: 'feature', type: 'string' }, { name: 'windowStart', type: millis }, { name: 'windowEnd', type: millis }, { name: 'count', type: 'int' },
    { name: 'psi', type: 'double' }, { name: 'threshold', type: 'double' }, { name: 'alarm', type: 'boolean' }, { name: 'missingShare', type: 'double' }, { name: 'referenceMissingShare', type: 'double' },
  ],
}
