import { parseArgs, type ParseArgsConfig } from 'node:util'
import { z } from 'zod'
import { isLoopback } from '../../connectors/kit/index.ts'
import { LatidoError, messageOf } from '../../streams/errors/index.ts'
import { readShape } from '../../streams/shapes/index.ts'
import { isZone, parseDuration } from '../../streams/time/index.ts'
import { CLICKHOUSE_OPTIONS, clickHouseConfigOf, clickHouseShape, redactedClickHouse, tiersConfigOf, type ClickHouseConfig, type ClickHouseOptionName, type TiersConfig } from './clickhouse.ts'
import { kafkaConfigOf, KAFKA_OPTIONS, kafkaShape, redactedKafka, type KafkaConfig, type KafkaOptionName } from './kafka.ts'
import type { Option } from './option.ts'
import { redactedRedis, redisConfigOf, REDIS_OPTIONS, redisShape, type RedisConfig, type RedisOptionName } from './redis.ts'

export interface Config {
  readonly host: string
  readonly httpPort: number
  readonly mllpPort: number
  /** File that says where alerts and scores go as HL7; empty: nowhere. */
  readonly hl7Out: string
  /** Empty: off. */
  readonly fhirOut: string
  readonly cdsHooks: string
  readonly mqttPort: number
  readonly mqttUser: string
  readonly mqttPasswordFile: string
  readonly dataDir: string
  readonly keyFile: string
  readonly simulate: 'ward' | 'off'
  readonly patients: number
  readonly speed: number
  readonly seed: number
  readonly partitions: number
  readonly retentionMs: number
  readonly zone: string
  readonly alertDwellMs: number
  readonly noDataAfterMs: number
  readonly driftWindowMs: number
  /** 0: off. */
  readonly skewEveryMs: number
  readonly offline: 'embedded' | 'off'
  readonly model: string
  /** Folder of the user's own views; empty: none. */
  readonly features: string
  /** Folder of feeds; empty: HL7 and MQTT on their ports. */
  readonly feeds: string
  readonly logLevel: string
  readonly allowExposed: boolean
  readonly connectors: 'on' | 'off'
  /** undefined: the embedded log. */
  readonly kafka: KafkaConfig | undefined
  /** undefined: the embedded engine. */
  readonly clickhouse: ClickHouseConfig | undefined
  readonly tiers: TiersConfig
  /** undefined: the embedded online store. */
  readonly redis: RedisConfig | undefined
}

type OptionName = KafkaOptionName | ClickHouseOptionName | RedisOptionName | 'connectors' | 'host' | 'httpPort' | 'mllpPort' | 'hl7Out' | 'fhirOut' | 'cdsHooks' | 'mqttPort' | 'mqttUser' | 'mqttPasswordFile' | 'dataDir' | 'keyFile' | 'simulate' | 'patients' | 'speed' | 'seed' | 'partitions' | 'retention' | 'zone' | 'alertDwell' | 'noDataAfter' | 'driftWindow' | 'skewEvery' | 'offline' | 'model' | 'features' | 'feeds' | 'logLevel' | 'allowExposed'

/** Every option: flag `--http-port` is `LATIDO_HTTP_PORT` is `httpPort`. */
export const CONFIG_OPTIONS: Readonly<Record<OptionName, Option>> = {
  host: { env: 'LATIDO_HOST', fallback: '127.0.0.1', help: 'address to listen on; others than loopback are refused without --allow-exposed' },
  httpPort: { env: 'LATIDO_HTTP_PORT', fallback: '8080', help: 'pages and API' },
  mllpPort: { env: 'LATIDO_MLLP_PORT', fallback: '2575', help: 'HL7 v2 over MLLP' },
  hl7Out: { env: 'LATIDO_HL7_OUT', fallback: '', help: 'JSON file that says where alerts and scores are sent as HL7 v2' },
  fhirOut: { env: 'LATIDO_FHIR_OUT', fallback: '', help: 'JSON file that names the FHIR server to which alerts and scores are written' },
  cdsHooks: { env: 'LATIDO_CDS_HOOKS', fallback: '', help: 'JSON file of the CDS Hooks service; empty: off' },
  mqttPort: { env: 'LATIDO_MQTT_PORT', fallback: '1883', help: 'device numerics over MQTT' },
  mqttUser: { env: 'LATIDO_MQTT_USER', fallback: '', help: 'user name that devices give; needed to listen beyond this machine' },
  mqttPasswordFile: { env: 'LATIDO_MQTT_PASSWORD_FILE', fallback: '', help: 'file with the password of that user' },
  dataDir: { env: 'LATIDO_DATA_DIR', fallback: '.latido', help: 'where everything is kept' },
  keyFile: { env: 'LATIDO_KEY_FILE', fallback: '', help: 'key of this installation; default keys/master.key in the data directory' },
  simulate: { env: 'LATIDO_SIMULATE', fallback: 'ward', help: 'ward or off; with --kafka, --feeds, --hl7-out or --fhir-out it is off unless said otherwise' },
  patients: { env: 'LATIDO_PATIENTS', fallback: '12', help: 'patients of the simulated ward' },
  speed: { env: 'LATIDO_SPEED', fallback: '1', help: 'simulated physiology runs so many times faster: 60 makes an hour pass in a minute' },
  seed: { env: 'LATIDO_SEED', fallback: '1', help: 'seed of the simulated ward' },
  partitions: { env: 'LATIDO_PARTITIONS', fallback: '4', help: 'partitions of the log; fixed once the data directory is made' },
  retention: { env: 'LATIDO_RETENTION', fallback: '7 d', help: 'how long the log keeps records' },
  zone: { env: 'LATIDO_ZONE', fallback: 'UTC', help: 'time zone of HL7 times without an offset' },
  alertDwell: { env: 'LATIDO_ALERT_DWELL', fallback: '10 s', help: 'how long a condition must hold on device numerics' },
  noDataAfter: { env: 'LATIDO_NO_DATA_AFTER', fallback: '5 m', help: 'silence of a monitored patient after which an alarm says so' },
  driftWindow: { env: 'LATIDO_DRIFT_WINDOW', fallback: '5 m', help: 'window of the drift monitor' },
  skewEvery: { env: 'LATIDO_SKEW_EVERY', fallback: '10 m', help: 'how often a sample of each view is compared with the observations; "0 s" for never' },
  offline: { env: 'LATIDO_OFFLINE', fallback: 'embedded', help: 'embedded or off' },
  model: { env: 'LATIDO_MODEL', fallback: '', help: 'folder of the sepsis model; default: the one that comes along; "off" for none' },
  features: { env: 'LATIDO_FEATURES', fallback: '', help: 'folder of your own feature views' },
  feeds: { env: 'LATIDO_FEEDS', fallback: '', help: 'folder of feeds: a file each, and its table of codes; default: HL7 and MQTT on their ports' },
  logLevel: { env: 'LATIDO_LOG_LEVEL', fallback: 'info', help: 'debug, info, warn, error' },
  allowExposed: { env: 'LATIDO_ALLOW_EXPOSED', fallback: 'no', help: 'yes: listen beyond this machine although nobody must log in' },
  connectors: { env: 'LATIDO_CONNECTORS', fallback: 'on', help: 'off: this instance takes no messages and simulates nothing; it shares the work of others on the same Kafka, and sends where --hl7-out or --fhir-out say so' },
  ...KAFKA_OPTIONS,
  ...REDIS_OPTIONS,
  ...CLICKHOUSE_OPTIONS,
}


export const DEFAULTS: Readonly<Record<OptionName, string>> = Object.fromEntries(Object.entries(CONFIG_OPTIONS).map(([name, { fallback }]) => [name, fallback])) as Record<OptionName, string>

/** A number as people write it; an empty text is none, and would be taken for 0. */
const number = z.string().regex(/^\d+(\.\d+)?$/, 'not a number').transform(Number)
const port = number.pipe(z.number().int().min(0).max(65_535))
const duration = z.string().transform((text, context) => {
  try {
    return parseDuration(text)
  } catch (e) {
    context.addIssue({ code: 'custom', message: messageOf(e) })
    return z.NEVER
  }
})

const schema = z.object({
  host: z.string().min(1),
  httpPort: port,
  mllpPort: port,
  hl7Out: z.string(),
  fhirOut: z.string(),
  cdsHooks: z.string(),
  mqttPort: port,
  mqttUser: z.string(),
  mqttPasswordFile: z.string(),
  dataDir: z.string().min(1),
  keyFile: z.string(),
  simulate: z.enum(['ward', 'off']),
  patients: number.pipe(z.number().int().min(1).max(500)),
  speed: number.pipe(z.number().min(0.1).max(3_600)),
  seed: number.pipe(z.number().int().min(0)),
  partitions: number.pipe(z.number().int().min(1).max(256)),
  retention: duration,
  zone: z.string().refine(isZone, 'no time zone of that name'),
  alertDwell: duration,
  noDataAfter: duration.refine(ms => ms >= 1_000, 'at least 1 s'),
  driftWindow: duration.refine(ms => ms >= 1_000, 'at least 1 s'),
  skewEvery: duration.refine(ms => ms === 0 || ms >= 10_000, '0 s, or at least 10 s'),
  offline: z.enum(['embedded', 'off']),
  model: z.string(),
  features: z.string(),
  feeds: z.string(),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']),
  allowExposed: z.enum(['yes', 'no']),
  connectors: z.enum(['on', 'off']),
  ...kafkaShape,
  ...redisShape,
  ...clickHouseShape,
})

/** What says that patients are real: where they come from, or who hears of them. */
const AMONG_REAL_PATIENTS: readonly OptionName[] = ['kafka', 'feeds', 'hl7Out', 'fhirOut']

/** Flags win over the environment, which wins over the defaults; an empty variable is not set. Throws CONFIG_INVALID, naming the option. */
export function parseConfig (args: readonly string[], env: Readonly<Record<string, string | undefined>>): Config {
  const flags = parseFlags(args)
  const raw: Record<string, string> = Object.fromEntries(Object.entries(CONFIG_OPTIONS).map(([name, option]) => [name, flags[flagOf(name)] ?? (env[option.env] || option.fallback)]))
  if (AMONG_REAL_PATIENTS.some(name => raw[name] !== '') && flags['simulate'] === undefined && !env['LATIDO_SIMULATE']) raw['simulate'] = 'off' // nobody wants made-up patients among real ones by surprise
  const read = readShape(schema, raw, 'hidden') // the value stands before it
  if (read.kind === 'invalid') {
    const [{ path, why }] = read.faults
    const name = String(path[0]) as OptionName
    throw new LatidoError('CONFIG_INVALID', `--${flagOf(name)} (${CONFIG_OPTIONS[name].env}) is "${raw[name]!.replace(/\/\/[^/@]*@/g, '//***@')}": ${why}`, `it means: ${CONFIG_OPTIONS[name].help}`)
  }
  const { retention, alertDwell, noDataAfter, driftWindow, skewEvery, allowExposed, ...others } = read.value
  const kafka = kafkaConfigOf(others)
  const clickhouse = clickHouseConfigOf(others)
  const redis = redisConfigOf(others)
  const rest = Object.fromEntries(Object.entries(others).filter(([name]) => !(name in KAFKA_OPTIONS) && !(name in REDIS_OPTIONS) && !(name in CLICKHOUSE_OPTIONS))) as Omit<typeof others, KafkaOptionName | RedisOptionName | ClickHouseOptionName>
  const config = { ...rest, kafka, redis, clickhouse, tiers: tiersConfigOf(others), retentionMs: retention, alertDwellMs: alertDwell, noDataAfterMs: noDataAfter, driftWindowMs: driftWindow, skewEveryMs: skewEvery, allowExposed: allowExposed === 'yes' }
  refuseUnsafe(config)
  if ((config.mqttUser === '') !== (config.mqttPasswordFile === '')) throw new LatidoError('CONFIG_INVALID', '--mqtt-user and --mqtt-password-file go together', 'give both, or neither')
  if (config.connectors === 'off' && kafka === undefined) throw new LatidoError('CONFIG_INVALID', '--connectors off needs --kafka', 'nobody else could write to an embedded log')
  return config
}

/** The configuration for the log: no path of a key, nothing secret. */
export function redacted (config: Config): Readonly<Record<string, unknown>> { return { ...config, kafka: redactedKafka(config.kafka), redis: redactedRedis(config.redis), clickhouse: redactedClickHouse(config.clickhouse), keyFile: config.keyFile === '' ? 'default' : 'set', mqttPasswordFile: config.mqttPasswordFile === '' ? 'none' : 'set' } }

/** Nobody logs in yet: what shows patients must not be reachable from elsewhere by accident. */
function refuseUnsafe ({ host, allowExposed }: Pick<Config, 'host' | 'allowExposed'>): void {
  if (!isLoopback(host) && !allowExposed) throw new LatidoError('UNSAFE_EXPOSURE', `listening on ${host} would show patients to the network without a login`, 'listen on 127.0.0.1 behind a proxy that authenticates, or say --allow-exposed yes')
}

function parseFlags (args: readonly string[]): Readonly<Record<string, string>> {
  const options: ParseArgsConfig['options'] = Object.fromEntries(Object.keys(CONFIG_OPTIONS).map(name => [flagOf(name), { type: 'string' as const }]))
  try {
    return parseArgs({ args: [...args], options, allowPositionals: false }).values as Record<string, string>
  } catch (e) {
    throw new LatidoError('CONFIG_INVALID', messageOf(e).split('\n', 1)[0]!, 'run "latido help start" for the options', e)
  }
}

function flagOf (name: string): string { return name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`) }
