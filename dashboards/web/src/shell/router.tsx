import { useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent, type ReactNode } from 'react'

/** Where the reader is. Patients stand in addresses by pseudonym: the browser's history holds no identifier. */
export interface Place { readonly path: string, readonly query: URLSearchParams }

const listeners = new Set<() => void>()
let place = read()

function read (): Place { return { path: location.pathname, query: new URLSearchParams(location.search) } }

function moved (): void {
  place = read()
  for (const listener of listeners) listener()
}

addEventListener('popstate', moved)

export function usePlace (): Place {
  return useSyncExternalStore(listener => { listeners.add(listener); return () => { listeners.delete(listener) } }, () => place)
}

export function goTo (href: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'push') { history.pushState(null, '', href); scrollTo(0, 0) } else history.replaceState(null, '', href)
  moved()
}

/** Sets or removes (empty) one parameter of the present address. */
export function setQuery (name: string, value: string): void {
  const query = new URLSearchParams(location.search)
  if (value === '') query.delete(name)
  else query.set(name, value)
  const text = query.toString()
  goTo(location.pathname + (text === '' ? '' : `?${text}`), 'replace')
}

/** A link within the pages; a modified click is the browser's. */
export function Link ({ href, children, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement> & { readonly href: string }): ReactNode {
  const follow = (event: MouseEvent): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return
    event.preventDefault()
    goTo(href)
  }
  return <a href={href} onClick={follow} {...rest}>{children}</a>
}
