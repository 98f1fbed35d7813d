declare module 'hl7-standard' {
  /** A value; the subcomponents of a lone component; components by `PID.3.1`; or repetitions of components. */
  type Components = Readonly<Record<string, string | readonly string[]>>
  type FieldData = string | readonly string[] | Components | readonly Components[]
  interface ParsedSegment { readonly index: number, readonly data: Readonly<Record<string, FieldData>> }
  export default class HL7 {
    constructor (raw: string)
    transform (): void
    readonly transformed: Readonly<Record<string, readonly ParsedSegment[]>>
  }
}
