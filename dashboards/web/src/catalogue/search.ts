import type { WireCatalogueFeature, WireCatalogueView } from '../../../server/wire.ts'

/** What of a catalogue fits a search: the view itself (then all of its features), or some of its features. */
export interface Found { readonly view: WireCatalogueView, readonly features: readonly WireCatalogueFeature[] }

/** Every word must fit. `nameOf` is a feature's name in the reader's language. */
export function searchCatalogue (views: readonly WireCatalogueView[], query: string, nameOf: (feature: string) => string): readonly Found[] {
  const words = query.toLowerCase().split(/\s+/).filter(word => word !== '')
  return views.flatMap(view => {
    const ofView = `${keyOf(view)} ${view.owner} ${view.description} ${view.entity} ${view.dependents.join(' ')}`.toLowerCase()
    const left = words.filter(word => !ofView.includes(word))
    if (left.length === 0) return [{ view, features: view.features }]
    const features = view.features.filter(feature => { const text = textOf(view, feature, nameOf); return left.every(word => text.includes(word)) })
    return features.length === 0 ? [] : [{ view, features }]
  })
}

export function keyOf ({ name, version }: Pick<WireCatalogueView, 'name' | 'version'>): string { return `${name}@${version}` }

function textOf ({ concepts }: WireCatalogueView, { name, unit, meaning, concepts: own, reads }: WireCatalogueFeature, nameOf: (feature: string) => string): string {
  const sources = concepts.filter(({ id }) => own.includes(id)).flatMap(({ id, name: said, loinc, mdc, aliases }) => [id, said, ...loinc, ...mdc, ...aliases])
  return [name, nameOf(name), unit, meaning, ...reads, ...sources].join(' ').toLowerCase()
}
