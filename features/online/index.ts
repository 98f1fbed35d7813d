/** The online store: latest row per (table, entity), versioned writes; embedded in LMDB. */
export type { OnlineRow, OnlineStore, StoredRow } from './port.ts'
export { openEmbeddedOnlineStore } from './embedded/store.ts'
