/** One option: its variable, what holds where nothing is said, and what it means. */
export interface Option { readonly env: string, readonly fallback: string, readonly help: string }
