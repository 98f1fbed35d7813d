import type { KeptTable, SealedTable } from '../../../connectors/kit/index.ts'

/** A feed's table within the one table that all feeds share: a store has room for few tables of its own. */
export function prefixedTable<T> (all: SealedTable<unknown>, feed: string, name: string): KeptTable<T> {
  const prefix = `${feed}/${name}/`
  return {
    * load () { for (const [key, value] of all.load(prefix)) yield [key.slice(prefix.length), value as T] },
    save: (key, value) => all.save(prefix + key, value),
  }
}
