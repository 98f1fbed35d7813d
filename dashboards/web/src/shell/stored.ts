import { useCallback, useSyncExternalStore } from 'react'

const listeners = new Set<() => void>()

/** A setting that this browser remembers; holds nothing about a patient. Where storage is denied it lasts as long as the page. */
export function useStored (key: string, initial: string): readonly [string, (value: string) => void] {
  const value = useSyncExternalStore(subscribe, () => read(key) ?? initial)
  const set = useCallback((next: string) => {
    session.set(key, next)
    try { localStorage.setItem(key, next) } catch { /* storage is denied: kept for this page */ }
    for (const listener of listeners) listener()
  }, [key])
  return [value, set]
}

const session = new Map<string, string>()

function read (key: string): string | null {
  try { return session.get(key) ?? localStorage.getItem(key) } catch { return session.get(key) ?? null }
}

function subscribe (listener: () => void): () => void {
  listeners.add(listener)
  return () => { listeners.delete(listener) }
}
