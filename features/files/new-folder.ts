import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { LatidoError, messageOf } from '../../streams/errors/index.ts'
import { PRODUCT_ROOT } from './product.ts'

const FIRST_VIEW = `import { featureView, last, mean, ratio } from 'latido/features'

/** What you want to see of a patient. A change of meaning needs the next version. */
export const shock = featureView({
  name: 'shock',
  version: 1,
  owner: 'your-team',
  description: 'Signs of shock from bedside numerics',
  ttl: '15 m',
  emit: { every: '10 s', on: ['charted'] },
  features: {
    heartRateMean5m: mean('heartRate').over('5 m'),
    shockIndex: ratio(last('heartRate').within('10 m'), last('systolic').within('1 h')),
  },
})
`

/** Where the product's sources are, for editors and templates; they come along with what was built of them. */
const SOURCES: string = extname(import.meta.url) === '.ts' ? PRODUCT_ROOT : dirname(PRODUCT_ROOT)

const VIEW_MODULES: Readonly<Record<string, string>> = { 'latido/features': 'features/define', 'latido/views': 'features/views' }

/** Settings of TypeScript under which a folder of a user's own has the types of `modules` (name to folder of the product); undefined where the sources are not there. */
export function typeSettings (modules: Readonly<Record<string, string>> = VIEW_MODULES): object | undefined {
  const sources = SOURCES
  const entries = Object.entries(modules).map(([name, folder]) => [name, [join(sources, folder, 'index.ts')]] as const)
  if (!entries.every(([, [entry = '']]) => existsSync(entry))) return undefined
  return {
    files: [join(sources, 'streams', 'events', 'ucum-lhc.d.ts')],
    compilerOptions: {
      target: 'es2023', lib: ['es2023', 'esnext.disposable'], module: 'nodenext', strict: true, noEmit: true, skipLibCheck: true, allowImportingTsExtensions: true,
      types: ['node'], typeRoots: [join(sources, 'node_modules', '@types')],
      paths: Object.fromEntries(entries),
    },
  }
}

/** Makes a folder with a first view, and a tsconfig.json by which an editor knows `latido/features`. Throws FILE_UNREADABLE; overwrites nothing. */
export function newViewsFolder (folder: string): readonly string[] {
  const settings = typeSettings()
  const files: readonly (readonly [string, string])[] = [
    [join(folder, 'shock.ts'), FIRST_VIEW],
    ...(settings === undefined ? [] : [[join(folder, 'tsconfig.json'), `${JSON.stringify({ ...settings, include: ['.'] }, null, 2)}\n`] as const]),
    [join(folder, 'package.json'), '{ "type": "module", "private": true }\n'],
  ]
  const there = files.find(([file]) => existsSync(file))
  if (there !== undefined) throw new LatidoError('CONFIG_INVALID', `${there[0]} is there already`, 'choose another folder')
  try {
    mkdirSync(folder, { recursive: true })
    for (const [file, text] of files) writeFileSync(file, text, { flag: 'wx' })
  } catch (cause) {
    throw new LatidoError('FILE_UNREADABLE', `the folder cannot be made: ${messageOf(cause)}`, 'choose another folder, or change its permissions', cause)
  }
  return files.map(([file]) => file)
}
