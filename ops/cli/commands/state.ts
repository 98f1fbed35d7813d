import { writeFileSync } from 'node:fs'
import { LatidoError, messageOf } from '../../../streams/errors/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { parseConfig } from '../../config/index.ts'
import { readPatient, renderPatient, type PatientAt } from '../../run/index.ts'
import type { Command } from './command.ts'

const UNKNOWN = 1

export const state: Command = {
  usage: 'inspect|export PATIENT [--out FILE] [--data-dir DIR | --kafka HOST:PORT,...]',
  summary: 'What is held for a patient (pseudonym, or an identifier for those who may read the key file), beside a running instance too: inspect says it in words, export writes it as JSON. Nothing but the pseudonym names anybody.',
  run: async ([verb = '', ...args]) => {
    if (verb !== 'inspect' && verb !== 'export') throw new LatidoError('CONFIG_INVALID', `state cannot "${verb}"`, 'say inspect or export')
    const { patient, out, rest } = split(args)
    if (verb === 'inspect' && out !== undefined) throw new LatidoError('CONFIG_INVALID', 'inspect has no --out', 'say export, or send the output where you like')
    const found = await readPatient(parseConfig(rest, process.env), systemClock, patient)
    if (found === undefined) { process.stderr.write('latido: nothing is held for this patient\n'); return UNKNOWN }
    if (verb === 'inspect') process.stdout.write(renderPatient(found))
    else if (out === undefined) process.stdout.write(json(found))
    else write(out, json(found))
    return 0
  },
}

/** The patient is the one word that belongs to no option. */
function split (args: readonly string[]): { readonly patient: string, readonly out: string | undefined, readonly rest: readonly string[] } {
  const [patient, ...others] = args
  if (patient === undefined || patient.startsWith('--')) throw new LatidoError('CONFIG_INVALID', 'no patient is named', 'latido state inspect PATIENT')
  const at = others.indexOf('--out')
  const out = at < 0 ? undefined : others[at + 1]
  if (at >= 0 && out === undefined) throw new LatidoError('CONFIG_INVALID', '--out needs a file', 'latido state export PATIENT --out FILE')
  return { patient, out, rest: at < 0 ? others : others.toSpliced(at, 2) }
}

function json (found: PatientAt): string { return `${JSON.stringify(found, null, 2)}\n` }

/** Readable by its owner alone. */
function write (file: string, text: string): void {
  try {
    writeFileSync(file, text, { mode: 0o600 })
  } catch (cause) {
    throw new LatidoError('DATA_DIR_UNWRITABLE', `the file cannot be written: ${messageOf(cause)}`, 'choose another with --out', cause)
  }
}
