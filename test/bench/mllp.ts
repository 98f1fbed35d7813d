import { formatTime } from '../../connectors/hl7/index.ts'
import { systemClock } from '../../streams/time/index.ts'
import { codeOf, hl7, MllpClient, startCli } from '../e2e/kit/index.ts'
import { tempDir } from '../kit/temp-dir.ts'
import { quantile, type Benchmark } from './measure.ts'

const OBX = ['2524-7^Lactate^LN||1.2|mmol/L', '2160-0^Creatinine^LN||0.9|mg/dL', '3094-0^Urea nitrogen^LN||14|mg/dL', '6690-2^Leukocytes^LN||7.1|10*3/uL', '777-3^Platelets^LN||210|10*3/uL', '2345-7^Glucose^LN||101|mg/dL', '2951-2^Sodium^LN||139|mmol/L', '718-7^Hemoglobin^LN||12.9|g/dL']

function panel (n: number): Buffer {
  const at = formatTime(systemClock.now())
  return hl7(`MSH|^~\\&|LIS|BENCH|LATIDO|LATIDO|${at}||ORU^R01^ORU_R01|M-${n}|P|2.5.1`, `PID|1||BENCH-${n % 50}^^^BENCH^MR||Invented^Test||19500412|F`, `OBR|1||O-${n}|PANEL^Panel^L|||${at}`, ...OBX.map((x, i) => `OBX|${i + 1}|NM|${x}|||||F`))
}

/** The real process, one connection, stop and wait: the next message of 8 OBX when the last is answered, which is when the log has it on disk. */
export const mllp: Benchmark = {
  summary: 'HL7 messages a second over one connection',
  run: async ({ seconds = 10, runs = 3 }) => {
    const rates: number[] = []
    const p50: number[] = []
    const p99: number[] = []
    const dir = tempDir()
    const cli = await startCli({ dataDir: dir.path })
    {
      using sender = await MllpClient.open(cli.mllpPort)
      let n = 0
      for (; n < 100; n++) await sender.exchange(panel(n)) // the compiler warms up
      for (let run = 0; run < runs; run++) {
        const waits: number[] = []
        const startedMs = systemClock.monotonicMs()
        while (systemClock.monotonicMs() - startedMs < seconds * 1_000) {
          const message = panel(n++)
          const sentMs = systemClock.monotonicMs()
          if (codeOf(await sender.exchange(message) ?? '') !== 'AA') throw new Error('a message was not accepted')
          waits.push(sender.answeredMs.at(-1)! - sentMs)
        }
        rates.push(waits.length / (systemClock.monotonicMs() - startedMs) * 1_000)
        p50.push(quantile(waits, 0.5))
        p99.push(quantile(waits, 0.99))
      }
    }
    await cli.end('SIGINT')
    dir.remove()
    return [
      { name: 'MLLP, 8 OBX, one connection', unit: 'messages/s', values: rates },
      { name: 'MLLP, last byte to answer, p50', unit: 'ms', values: p50 },
      { name: 'MLLP, last byte to answer, p99', unit: 'ms', values: p99 },
    ]
  },
}
