declare module '@lhncbc/ucum-lhc' {
  interface Conversion { readonly status: 'succeeded' | 'failed' | 'error', readonly toVal: number | null, readonly msg: readonly string[] }
  export const UcumLhcUtils: { getInstance (): { convertUnitTo (from: string, value: number, to: string, options?: { readonly molecularWeight?: number }): Conversion } }
}
