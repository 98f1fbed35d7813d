// The compiled program finds its models beside its code, as the sources do.
import { cpSync, existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const models = join(root, 'inference', 'models')
for (const name of readdirSync(models)) {
  if (existsSync(join(models, name, 'manifest.json'))) cpSync(join(models, name), join(root, 'dist', 'inference', 'models', name), { recursive: true })
}
