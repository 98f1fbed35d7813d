import { viewKey } from '../../../features/define/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { newViewsFolder } from '../../../features/files/index.ts'
import { parseConfig, type Config } from '../../config/index.ts'
import { lintCatalogue, planCatalogue, publishedIn, publishViews, readCatalogue, retireView } from '../../run/index.ts'
import type { Command } from './command.ts'
import { renderFeature, renderLint, renderList, renderPlan, renderView } from './features-text.ts'

const VERBS = ['list', 'show', 'lint', 'plan', 'new', 'publish', 'retire'] as const
type Verb = (typeof VERBS)[number]
/** Exit code of a lint that found something to mend. */
const FOUND = 4

interface Asked { readonly verb: Verb, readonly words: readonly string[], readonly json: boolean, readonly config: Config }

export const features: Command = {
  usage: 'list|show VIEW[:FEATURE]|lint|plan|new DIR|publish|retire VIEW@VERSION [--features DIR] [--json] [--data-dir DIR | --kafka HOST:PORT,...]',
  summary: 'The catalogue of feature views, the product\'s and those of your folder: list and show say what each means and what depends on it, lint finds what is doubtful (exit code 4), plan what is kept of a key. new begins a folder; publish and retire change what a log knows.',
  run: async args => {
    const asked = parse(args)
    const { text, value, code } = await answer(asked)
    process.stdout.write(asked.json ? `${JSON.stringify(value, null, 2)}\n` : text)
    return code
  },
}

interface Answer { readonly text: string, readonly value: unknown, readonly code: number }

async function answer ({ verb, words, config }: Asked): Promise<Answer> {
  switch (verb) {
    case 'list': {
      const views = await readCatalogue(config, await publishedIn(config, systemClock))
      return { text: renderList(views), value: views, code: 0 }
    }
    case 'show': return await show(config, one(words, 'show VIEW or VIEW:FEATURE'))
    case 'lint': {
      const report = await lintCatalogue(config)
      return { text: renderLint(report), value: report, code: report.findings.some(({ kind }) => kind !== 'nothing-depends') ? FOUND : 0 }
    }
    case 'plan': {
      const plan = await planCatalogue(config)
      return { text: renderPlan(plan, config.features !== ''), value: plan, code: 0 }
    }
    case 'new': {
      const files = newViewsFolder(one(words, 'new DIR'))
      return { text: files.map(file => `latido: made ${file}\n`).join(''), value: files, code: 0 }
    }
    case 'publish': {
      const records = await publishViews(config, systemClock)
      const lines = records.map(record => record.kind === 'published' ? `${viewKey(record.definition)} is published` : `${viewKey(record)} is ${record.kind}`)
      return { text: lines.length === 0 ? 'latido: nothing is new\n' : lines.map(line => `latido: ${line}\n`).join(''), value: records, code: 0 }
    }
    case 'retire': {
      const reference = one(words, 'retire VIEW@VERSION')
      await retireView(config, systemClock, reference)
      return { text: `latido: ${reference} is retired\n`, value: { retired: reference }, code: 0 }
    }
  }
}

async function show (config: Config, reference: string): Promise<Answer> {
  const views = await readCatalogue(config, await publishedIn(config, systemClock))
  const [wanted = '', feature] = reference.split(':')
  const [name = '', version] = wanted.split('@')
  const view = views.filter(v => v.name === name && (version === undefined || v.version === Number(version))).sort((a, b) => b.version - a.version)[0]
  if (view === undefined) throw new LatidoError('VIEW_UNKNOWN', `there is no view "${wanted}"`, `there are ${[...new Set(views.map(v => v.name))].join(', ')}`)
  if (feature === undefined) return { text: renderView(view), value: view, code: 0 }
  const found = view.features.find(f => f.name === feature)
  if (found === undefined) throw new LatidoError('FEATURE_UNKNOWN', `view ${name} has no feature "${feature}"`, `"latido features show ${name}" has them all`)
  return { text: renderFeature(view, found), value: found, code: 0 }
}

function one (words: readonly string[], usage: string): string {
  if (words.length !== 1) throw new LatidoError('CONFIG_INVALID', `${words.length === 0 ? 'a name is missing' : 'there is a word too many'}`, `latido features ${usage}`)
  return words[0]!
}

/** Words come before options; the options are those of start. */
function parse ([verb = '', ...args]: readonly string[]): Asked {
  const known = VERBS.find(v => v === verb)
  if (known === undefined) throw new LatidoError('CONFIG_INVALID', `features cannot "${verb}"`, `say ${VERBS.join(', ')}`)
  const plain = args.filter(arg => arg !== '--json')
  const firstFlag = plain.findIndex(arg => arg.startsWith('--'))
  const words = firstFlag < 0 ? plain : plain.slice(0, firstFlag)
  return { verb: known, words, json: plain.length < args.length, config: parseConfig(firstFlag < 0 ? [] : plain.slice(firstFlag), process.env) }
}
