/** The code of a system's error (`ECONNREFUSED`), which `fetch` hides in the cause: its text may hold an address with an identifier. */
export function systemCode (e: unknown): string | undefined {
  const { code, cause } = (e ?? {}) as { readonly code?: unknown, readonly cause?: { readonly code?: unknown } }
  return [code, cause?.code].find(one => typeof one === 'string')
}
