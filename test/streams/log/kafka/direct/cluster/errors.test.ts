import { expect, it } from 'vitest'
import { ERROR_CODE, isKafkaError, KafkaError, throwIfError } from '../../../../../../streams/log/kafka/direct/cluster/index.ts'
import { KAFKA_ERRORS } from '../../../../../../streams/log/kafka/direct/cluster/error-table.ts'

it('knows each error code of Kafka 4.2 once', () => {
  expect(KAFKA_ERRORS.map(([code]) => code)).toEqual(Array.from({ length: 135 }, (_, i) => i - 1))
  expect(new Set(KAFKA_ERRORS.map(([, name]) => name)).size).toBe(KAFKA_ERRORS.length)
})

it('says by name what may pass by itself', () => {
  const passes = (name: keyof typeof ERROR_CODE): boolean => new KafkaError(ERROR_CODE[name], 'Fetch').retriable
  expect((['NOT_LEADER_OR_FOLLOWER', 'COORDINATOR_LOAD_IN_PROGRESS', 'NOT_COORDINATOR', 'UNKNOWN_TOPIC_OR_PARTITION', 'CONCURRENT_TRANSACTIONS'] as const).map(passes)).toEqual([true, true, true, true, true])
  expect((['PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH', 'FENCED_MEMBER_EPOCH', 'OFFSET_OUT_OF_RANGE', 'TOPIC_AUTHORIZATION_FAILED', 'MESSAGE_TOO_LARGE'] as const).map(passes)).toEqual([false, false, false, false, false, false])
})

it('names the call, the error and the number, and what the broker adds', () => {
  expect(new KafkaError(16, 'OffsetFetch').message).toBe('OffsetFetch: NOT_COORDINATOR (16)')
  expect(new KafkaError(58, 'SaslAuthenticate', 'no such user').message).toBe('SaslAuthenticate: SASL_AUTHENTICATION_FAILED (58), no such user')
  expect(new KafkaError(16, 'OffsetFetch', '').message).toBe('OffsetFetch: NOT_COORDINATOR (16)')
})

it('takes a number of a newer Kafka for an error that does not pass', () => {
  const unknown = new KafkaError(9_999, 'Fetch')
  expect([unknown.retriable, unknown.errorName, unknown.message]).toEqual([false, 'UNKNOWN_SERVER_ERROR', 'Fetch: an unknown error (9999)'])
})

it('throws for anything but zero', () => {
  throwIfError(0, 'Fetch')
  expect(() => { throwIfError(ERROR_CODE.UNKNOWN_SERVER_ERROR, 'Fetch') }).toThrow(KafkaError)
  expect(isKafkaError(new Error('no'))).toBe(false)
})
