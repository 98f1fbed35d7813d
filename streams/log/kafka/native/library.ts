import type * as Rdkafka from 'node-rdkafka'
import { LatidoError } from '../../../errors/index.ts'
import type { KafkaOptions } from '../options.ts'

export type Library = typeof Rdkafka
export type { KafkaConsumer, LibrdKafkaError, Message, Producer as LibraryProducer, TopicPartitionOffset } from 'node-rdkafka'

/** Loads node-rdkafka, which is optional. Throws KAFKA_DRIVER_MISSING, with what to install. */
export async function loadLibrary (options: Pick<KafkaOptions, 'tls' | 'sasl' | 'compression'>): Promise<Library> {
  const library = await loaded()
  for (const [needed, feature, packageName] of [
    [options.tls !== undefined, 'ssl', 'libssl-dev'],
    [options.sasl !== undefined && options.sasl.kind !== 'plain' && options.sasl.kind !== 'oauthbearer', 'sasl_scram', 'libssl-dev'],
    [options.sasl?.kind === 'oauthbearer', 'sasl_oauthbearer', 'libssl-dev'],
    [options.compression === 'zstd', 'zstd', 'libzstd-dev'],
  ] as const) {
    if (needed && !library.features.includes(feature)) throw new LatidoError('KAFKA_DRIVER_MISSING', `node-rdkafka was compiled without ${feature}`, `install ${packageName}, then npm run native`)
  }
  return library
}

async function loaded (): Promise<Library> {
  try {
    return (await import('node-rdkafka')).default as unknown as Library // it is CommonJS
  } catch (e) {
    throw new LatidoError('KAFKA_DRIVER_MISSING', 'the driver native needs node-rdkafka, which is not installed or not compiled', 'npm run native compiles it (two minutes, with Python, make and a C++ compiler)', e)
  }
}
