import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const HERE = fileURLToPath(import.meta.url)
/** `.ts` from source, `.js` in the built product. */
const EXTENSION = extname(HERE)

/** The folder that holds the product's code: the sources, or what was built of them. */
export const PRODUCT_ROOT: string = dirname(dirname(dirname(HERE)))

/** What a view may import of the product, by name: the same as `exports` of package.json. */
export const PUBLIC_MODULES: Readonly<Record<string, string>> = {
  'latido/features': join(PRODUCT_ROOT, 'features', 'define', `index${EXTENSION}`),
  'latido/views': join(PRODUCT_ROOT, 'features', 'views', `index${EXTENSION}`),
}
