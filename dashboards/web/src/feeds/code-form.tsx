import { useState, type FormEvent, type ReactNode } from 'react'
import type { WireFeeds, WireMappedCode } from '../../../server/wire.ts'
import { ApiFailure, postJson, type Sending } from '../api.ts'
import { useI18n } from '../i18n/index.tsx'
import { translateName } from '../i18n/translate.ts'

/** The concept of a code that is not wanted. */
export const IGNORE = 'ignore'

/** What was done with a code; `taken`: somebody else was faster. */
export type Told = { readonly kind: 'nothing' } | { readonly kind: 'mapped' | 'ignored' | 'removed', readonly code: string } | { readonly kind: 'taken', readonly code: string, readonly reason: string }

export interface CodeFormProps {
  readonly feed: string
  readonly code: Pick<WireMappedCode, 'system' | 'code'>
  readonly concepts: WireFeeds['concepts']
  /** What the table says of it now; undefined: nothing. */
  readonly was?: WireMappedCode | undefined
  readonly onTold: (news: Told) => void
}

/** Says what a code means: a concept and a unit, or that it is not wanted. */
export function CodeForm ({ feed, code, concepts, was, onTold }: CodeFormProps): ReactNode {
  const { t, format } = useI18n()
  const [concept, setConcept] = useState(was?.concept ?? '')
  const [unit, setUnit] = useState(was?.unit ?? '')
  const { sending, send } = useChange(feed, code, onTold)
  const put = (to: string): void => { void send('codes', to === IGNORE ? 'ignored' : 'mapped', { concept: to, unit: to === IGNORE ? '' : unit, ...was === undefined ? {} : { was: { concept: was.concept, unit: was.unit } } }) }
  const submit = (event: FormEvent): void => { event.preventDefault(); put(concept) }
  const busy = sending.kind === 'sending'
  return (
    <form className="map-code" onSubmit={submit}>
      <select required aria-label={t('feeds.conceptOf', { code: code.code })} value={concept} onChange={event => { setConcept(event.target.value) }}>
        <option value="">{t('feeds.choose')}</option>
        {was !== undefined && <option value={IGNORE}>{t('feeds.notWanted')}</option>}
        {concepts.map(({ id, unit: canonical }) => <option key={id} value={id}>{translateName(t, 'concept', id)} ({format.unit(canonical)})</option>)}
      </select>
      {concept !== IGNORE && <input aria-label={t('feeds.unitOf', { code: code.code })} value={unit} maxLength={40} size={8} placeholder={t('feeds.unitHint')} onChange={event => { setUnit(event.target.value) }} />}
      <button type="submit" aria-label={t('feeds.mapOf', { code: code.code })} disabled={busy}>{busy ? t('feeds.sending') : t('feeds.map')}</button>
      {was === undefined && <button type="button" className="button-quiet" aria-label={t('feeds.ignoreOf', { code: code.code })} disabled={busy} onClick={() => { put(IGNORE) }}>{t('feeds.ignore')}</button>}
      {sending.kind === 'failed' && <span className="did-not" role="alert">{t('feeds.failed', { reason: sending.reason })}</span>}
    </form>
  )
}

/** Sends a change of the table, and tells what became of it. */
export function useChange (feed: string, { system, code }: CodeFormProps['code'], onTold: CodeFormProps['onTold']): { readonly sending: Sending, readonly send: (what: 'codes' | 'codes/remove', done: 'mapped' | 'ignored' | 'removed', body: object) => Promise<void> } {
  const [sending, setSending] = useState<Sending>({ kind: 'idle' })
  return {
    sending,
    send: async (what, done, body) => {
      setSending({ kind: 'sending' })
      try {
        await postJson(`/api/feeds/${encodeURIComponent(feed)}/${what}`, { system, code, ...body })
        setSending({ kind: 'idle' })
        onTold({ kind: done, code })
      } catch (error) {
        setSending({ kind: 'failed', reason: error instanceof ApiFailure ? error.message : String(error) })
        if (error instanceof ApiFailure && (error.code === 'CODE_MAPPED' || error.code === 'CODE_GONE')) onTold({ kind: 'taken', code, reason: error.message })
      }
    },
  }
}
