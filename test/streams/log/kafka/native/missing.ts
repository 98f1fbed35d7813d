import { messageOf } from '../../../../../streams/errors/index.ts'
import { KAFKA_DEFAULTS } from '../../../../../streams/log/kafka/options.ts'
import { loadLibrary } from '../../../../../streams/log/kafka/native/library.ts'

/** Why node-rdkafka cannot be used here, which is optional; LATIDO_REQUIRE=native makes that a failure. */
export async function missingLibrary (): Promise<string | undefined> {
  try {
    await loadLibrary(KAFKA_DEFAULTS)
    return undefined
  } catch (e) {
    if ((process.env['LATIDO_REQUIRE'] ?? '').split(',').includes('native')) throw e
    process.stderr.write(`SKIPPED: tests of the Kafka driver native were not run (${messageOf(e)})\n`)
    return messageOf(e)
  }
}
