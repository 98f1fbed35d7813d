import { conformanceChecks } from '../../../connectors/conformance/index.ts'
import { LatidoError, messageOf } from '../../../streams/errors/index.ts'
import { connectorKinds, loadHarness, newConnector } from '../../run/index.ts'
import { ownOptions } from '../own-options.ts'
import type { Command } from './command.ts'

/** Exit code where a rule is broken. */
const BROKEN = 4

/** Connectors of one's own: begun, and tried. */
export const connector: Command = {
  usage: 'new NAME [--in DIR] | test DIR/NAME.harness.ts [--only TEXT]',
  summary: 'A connector of your own. new writes one that works into the folder of feeds (default feeds), with what it is tried with; test tries whether it loses or repeats messages when it is killed, the log is slow or away, or a message is bad (exit code 4 if so).',
  run: async args => {
    const { words: [verb, word, ...more], own } = ownOptions(args, ['in', 'only'])
    if (word === undefined || more.length > 0) throw new LatidoError('CONFIG_INVALID', 'one name is needed', `say latido connector ${connector.usage}`)
    switch (verb) {
      case 'new':
        for (const file of newConnector(word, own.in ?? 'feeds', (await connectorKinds('')).map(({ kind }) => kind))) process.stdout.write(`latido: made ${file}\n`)
        return 0
      case 'test': return await tryOut(word, own.only ?? '')
      default: throw new LatidoError('CONFIG_INVALID', `connector cannot "${String(verb)}"`, 'say new or test')
    }
  },
}

async function tryOut (file: string, only: string): Promise<number> {
  let broken = 0
  for (const { name, run } of conformanceChecks(await loadHarness(file)).filter(check => check.name.includes(only))) {
    const fault = await run().then(() => undefined, (e: unknown) => e)
    if (fault !== undefined) broken++
    process.stdout.write(`latido: ${fault === undefined ? 'ok    ' : 'broken'} ${name}${fault === undefined ? '' : `\n        ${messageOf(fault)}`}\n`)
  }
  process.stdout.write(`latido: ${broken === 0 ? 'the connector keeps every rule' : `${broken} rule${broken === 1 ? ' is' : 's are'} broken`}\n`)
  return broken === 0 ? 0 : BROKEN
}
