import { viewKey, type FeatureView } from '../define/index.ts'

/** Which version a bare name means: the newest that has caught up; where none has, the newest. */
export class ViewAliases {
  readonly #views: readonly FeatureView[]
  readonly #live: Set<string>
  readonly #listeners = new Set<() => void>()

  constructor (views: readonly FeatureView[], live: Iterable<string>) {
    this.#views = views
    this.#live = new Set(live)
  }

  versionOf (name: string): number | undefined {
    const versions = this.#views.filter(view => view.name === name)
    const ready = versions.filter(view => this.#live.has(viewKey(view)))
    const among = ready.length > 0 ? ready : versions
    return among.length === 0 ? undefined : Math.max(...among.map(view => view.version))
  }

  isLive (view: Pick<FeatureView, 'name' | 'version'>): boolean { return this.#live.has(viewKey(view)) }

  /** These have caught up: from now on their names mean them, all at once. */
  promote (views: readonly Pick<FeatureView, 'name' | 'version'>[]): void {
    for (const view of views) this.#live.add(viewKey(view))
    for (const listener of this.#listeners) listener()
  }

  onChange (changed: () => void): void { this.#listeners.add(changed) }
}
