/** Something a ward sends: over MLLP, or by a monitor over MQTT. */
export type WardStep =
  | { readonly kind: 'hl7', readonly dueMs: number, readonly controlId: string, readonly text: string }
  | { readonly kind: 'association', readonly dueMs: number, readonly device: string, readonly payload: string }
  | { readonly kind: 'numerics', readonly dueMs: number, readonly device: string, readonly payload: string }
