/** When a window speaks: once it is closed, or on each reading (or each nth of a key) with what had arrived by then. */
export type Emission = { readonly kind: 'close' } | { readonly kind: 'reading', readonly every: number }

export function emissionOf (emission: Emission): string { return emission.kind === 'close' ? 'close' : `reading ${emission.every}` }
