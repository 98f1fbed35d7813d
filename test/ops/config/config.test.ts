import { describe, expect, it } from 'vitest'
import { CONFIG_OPTIONS, DEFAULTS, parseConfig, redacted } from '../../../ops/config/index.ts'
import { isLatidoError, type LatidoError } from '../../../streams/errors/index.ts'

function refusal (args: readonly string[], env: Readonly<Record<string, string>> = {}): LatidoError {
  try {
    parseConfig(args, env)
  } catch (e) {
    if (isLatidoError(e)) return e
    throw e
  }
  throw new Error('was taken')
}

it('has a default for every option, and starts on them', () => {
  expect(parseConfig([], {})).toMatchObject({ host: '127.0.0.1', httpPort: 8080, mllpPort: 2575, mqttPort: 1883, dataDir: '.latido', simulate: 'ward', retentionMs: 7 * 86_400_000, alertDwellMs: 10_000, allowExposed: false })
  expect(Object.keys(DEFAULTS)).toEqual(Object.keys(CONFIG_OPTIONS))
})

it.each(['--hl7-out', '--fhir-out'])('simulates nothing where %s has others hear of patients, unless told so', flag => {
  expect([parseConfig([flag, 'out.json'], {}).simulate, parseConfig([flag, 'out.json', '--simulate', 'ward'], {}).simulate]).toEqual(['off', 'ward'])
})

it('takes flags before the environment, and the environment before the defaults', () => {
  const env = { LATIDO_HTTP_PORT: '9001', LATIDO_SIMULATE: 'off' }
  expect(parseConfig(['--http-port', '9002'], env)).toMatchObject({ httpPort: 9002, simulate: 'off', mllpPort: 2575 })
})

it('takes an empty variable for one that is not set', () => { expect(parseConfig([], { LATIDO_HTTP_PORT: '', LATIDO_DATA_DIR: '' })).toMatchObject({ httpPort: 8080, dataDir: '.latido' }) })

describe('a bad option gets one line that names it, as flag and as variable, and says what it means', () => {
  it.each<[keyof typeof CONFIG_OPTIONS, string]>([
    ['httpPort', '70000'], ['httpPort', '80.5'], ['httpPort', 'http'], ['httpPort', '-1'], ['mllpPort', ''], ['mqttPort', '1e3'], ['simulate', 'yes'], ['patients', '0'], ['patients', '501'], ['speed', '0'], ['speed', 'fast'], ['speed', 'Infinity'],
    ['seed', '-3'], ['partitions', '0'], ['partitions', '2.5'], ['retention', '7'], ['zone', 'Mars/Phobos'], ['zone', ''], ['alertDwell', 'ten'], ['noDataAfter', '0 s'], ['driftWindow', '10 ms'], ['offline', 'on'], ['logLevel', 'loud'],
    ['allowExposed', 'maybe'], ['dataDir', ''], ['host', ''],
  ])('%s "%s"', (name, value) => {
    const flag = `--${name.replace(/[A-Z]/g, c => `-${c.toLowerCase()}`)}`
    const byFlag = refusal([`${flag}=${value}`])
    expect(byFlag.code).toBe('CONFIG_INVALID')
    expect(byFlag.message).toContain(`${flag} (${CONFIG_OPTIONS[name].env})`)
    expect(byFlag.action).toContain(CONFIG_OPTIONS[name].help)
    expect(`${byFlag.message}${byFlag.action}`).not.toContain('\n')
    if (value !== '') expect(refusal([], { [CONFIG_OPTIONS[name].env]: value }).message).toBe(byFlag.message)
  })

  it.each([[['--htpp-port', '1'], '--htpp-port'], [['--http-port'], '--http-port'], [['--http-port', '--seed'], '--http-port'], [['stray'], 'stray']])('%j', (args, named) => {
    const error = refusal(args)
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toContain(named)
    expect(error.message).not.toContain('\n')
  })
})

it('refuses to be reachable from other machines unless told so', () => {
  expect(refusal(['--host', '0.0.0.0']).code).toBe('UNSAFE_EXPOSURE')
  expect(parseConfig(['--host', '0.0.0.0', '--allow-exposed', 'yes']  , {}).host).toBe('0.0.0.0')
  for (const host of ['127.0.0.1', '::1', 'localhost']) expect(parseConfig(['--host', host], {}).host).toBe(host)
})

it('wants user and password of MQTT together', () => {
  expect(refusal(['--mqtt-user', 'monitor']).message).toContain('--mqtt-password-file')
  expect(parseConfig(['--mqtt-user', 'monitor', '--mqtt-password-file', 'file'], {}).mqttUser).toBe('monitor')
})

it('shows no path of a secret in the log of the configuration', () => {
  const shown = JSON.stringify(redacted(parseConfig(['--key-file', '/secret/key', '--mqtt-user', 'm', '--mqtt-password-file', '/secret/password'], {})))
  expect(shown).not.toContain('/secret')
})
