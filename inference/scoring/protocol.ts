/** What goes between the scorer and its worker. Buffers are transferred, not copied. */
export interface ModelFiles { readonly name: string, readonly onnxPath: string, readonly treesPath: string, readonly width: number }

export type Request =
  /** `rows`: float32, row after row, NaN = absent. */
  | { readonly kind: 'score', readonly id: number, readonly model: string, readonly rows: Float32Array<ArrayBuffer> }
  /** `row`: float64, one vector. */
  | { readonly kind: 'explain', readonly id: number, readonly model: string, readonly row: Float64Array<ArrayBuffer> }
  | { readonly kind: 'close' }

export type Reply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused', readonly why: string }
  /** One raw score (before calibration) a row. */
  | { readonly kind: 'scored', readonly id: number, readonly scores: Float32Array<ArrayBuffer> }
  | { readonly kind: 'explained', readonly id: number, readonly contributions: Float64Array<ArrayBuffer> }
  | { readonly kind: 'failed', readonly id: number, readonly why: string }

/** The part of a worker thread that the scorer uses; tests stand in for it. */
export interface WorkerLike {
  postMessage (request: Request, transfer: ArrayBuffer[]): void
  on (event: 'message', listener: (reply: Reply) => void): unknown
  on (event: 'error', listener: (error: unknown) => void): unknown
  on (event: 'exit', listener: (code: number) => void): unknown
}
