import type { Benchmark } from '../measure.ts'
import { hl7 } from './hl7.ts'

/** What connectors take in a second, beside other people's senders and receivers. */
export const connectors: Benchmark = {
  summary: 'HL7 over MLLP: latency to the answer, messages a second, beside HAPI and python-hl7',
  run: async options => [...await hl7(options)],
}
