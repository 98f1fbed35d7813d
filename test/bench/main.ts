import { parseArgs } from 'node:util'
import { isLatidoError, LatidoError, messageOf } from '../../streams/errors/index.ts'
import { burst, burstSingle } from './burst.ts'
import { codec } from './codec.ts'
import { connectors } from './connectors/index.ts'
import { engine } from './engine.ts'
import { fhirPolling } from './fhir-polling.ts'
import { latency } from './kafka/latency.ts'
import { rebalance } from './kafka/rebalance.ts'
import { ward } from './kafka/ward.ts'
import { log } from './log.ts'
import { lineOf, type BenchOptions, type Benchmark, type Line } from './measure.ts'
import { mqttQos1 } from './mqtt-qos1.ts'
import { path } from './path.ts'
import { pit } from './pit/index.ts'
import { recovery, recoveryKafka } from './recovery/index.ts'
import { score } from './score.ts'
import { serving } from './serving/index.ts'
import { start } from './start.ts'
import { update } from './update/index.ts'
import { vitals } from './vitals/bench.ts'

/** `npm run bench -- NAME [NAME ...] [--json] [--seconds S] [--runs N]`. */
export const BENCHMARKS: Readonly<Record<string, Benchmark>> = { log, codec, engine, path, connectors, 'mqtt-qos1': mqttQos1, score, update, burst, 'burst-single': burstSingle, start, vitals, latency, ward, rebalance, recovery, 'recovery-kafka': recoveryKafka, pit, 'fhir-polling': fhirPolling, serving }

function parse (args: readonly string[]): { readonly names: readonly string[], readonly json: boolean, readonly options: BenchOptions, readonly command: string } {
  const { values, positionals } = read(args)
  const known = `choose among: ${Object.keys(BENCHMARKS).join(', ')}`
  if (positionals.length === 0) throw new LatidoError('BENCH_UNKNOWN', 'no benchmark is named', known)
  for (const name of positionals) if (!Object.hasOwn(BENCHMARKS, name)) throw new LatidoError('BENCH_UNKNOWN', `there is no benchmark "${name}"`, known)
  const say = (line: string): void => { process.stderr.write(`bench: ${line}\n`) }
  return { names: positionals, json: values.json === true, options: { seconds: positive('seconds', values.seconds), runs: positive('runs', values.runs), say }, command: `npm run bench -- ${args.filter(a => a !== '--json').join(' ')}` }
}

function read (args: readonly string[]): { values: { json?: boolean | undefined, seconds?: string | undefined, runs?: string | undefined }, positionals: string[] } {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: { json: { type: 'boolean' }, seconds: { type: 'string' }, runs: { type: 'string' } } })
  } catch (e) {
    throw new LatidoError('CONFIG_INVALID', messageOf(e), 'npm run bench -- NAME [--json] [--seconds S] [--runs N]', e)
  }
}

function positive (name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!(value > 0)) throw new LatidoError('CONFIG_INVALID', `--${name} is "${text}"`, 'it is a number above 0')
  return value
}

function tableRow ({ name, unit, value, min, max, n }: Line): string { return `${name.padEnd(44)} ${String(value).padStart(12)} ${unit.padEnd(16)} ${min} to ${max}, n ${n}` }

async function main (args: readonly string[]): Promise<number> {
  try {
    const { names, json, options, command } = parse(args)
    for (const name of names) {
      for (const measure of await BENCHMARKS[name]!.run(options)) {
        const line = lineOf(measure, command)
        process.stdout.write(`${json ? JSON.stringify(line) : `${tableRow(line)}${measure.target === undefined ? '' : `  (target ${measure.target})`}`}\n`)
      }
    }
    return 0
  } catch (e) {
    process.stderr.write(isLatidoError(e) ? `bench: ${e.message}: ${e.action} [${e.code}]\n` : `bench: ${e instanceof Error ? e.stack ?? e.message : messageOf(e)}\n`)
    return 1
  }
}

process.exit(await main(process.argv.slice(2)))
