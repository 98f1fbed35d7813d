import type { ReactNode } from 'react'
import type { WirePipeline } from '../../../server/wire.ts'
import { useI18n } from '../i18n/index.tsx'
import { useLive } from '../live.ts'
import { HealthTag } from '../feeds/health-tag.tsx'
import { DeadLetters } from './dead-letters.tsx'

/** What flows, what lags, what was refused. From the live stream, each two seconds. */
export function PipelinePage (): ReactNode {
  const { t } = useI18n()
  const { pipeline } = useLive()
  if (pipeline === undefined) return <><h1>{t('pipeline.title')}</h1><p className="notice">{t('page.loading')}</p></>
  return (
    <div className="pipeline">
      <h1>{t('pipeline.title')}</h1>
      <Facts pipeline={pipeline} />
      <Topics pipeline={pipeline} />
      <Processors pipeline={pipeline} />
      <Connectors pipeline={pipeline} />
      <DeadLetters letters={pipeline.deadLetters} />
    </div>
  )
}

function Facts ({ pipeline }: { readonly pipeline: WirePipeline }): ReactNode {
  const { t, format } = useI18n()
  const events = pipeline.topics.find(({ topic }) => topic.endsWith('.events'))?.perSecond ?? null
  const lag = Math.max(0, ...pipeline.processors.map(processor => processor.lag ?? 0))
  const { offline, log } = pipeline
  return (
    <dl className="figures">
      <div><dt>{t('pipeline.eventsRate')}</dt><dd>{events === null ? '–' : format.significant(events)}</dd></div>
      <div><dt>{t('pipeline.worstLag')}</dt><dd>{format.number(lag)}</dd></div>
      <div><dt>{t('pipeline.deadLetters')}</dt><dd>{format.number(pipeline.deadLetters.total)}</dd></div>
      <div><dt>{t('pipeline.late')}</dt><dd>{format.number(pipeline.late)}</dd></div>
      {pipeline.leftBehind > 0 && <div><dt>{t('pipeline.leftBehind')}</dt><dd>{format.number(pipeline.leftBehind)}</dd></div>}
      <div className={log.state === 'on' ? '' : 'figure-off'}><dt>{t('pipeline.log')}</dt><dd>{t(log.state === 'away' ? 'offline.away' : `log.${log.driver}`)}</dd>{log.why !== '' && <dd className="why-off">{log.why}</dd>}</div>
      <div className={offline.state === 'on' ? '' : 'figure-off'}><dt>{t('pipeline.offline')}</dt><dd>{t(`offline.${offline.state}`)}</dd>{offline.why !== '' && <dd className="why-off">{offline.why}</dd>}</div>
      <div><dt>{t('pipeline.uptime')}</dt><dd>{format.age(pipeline.uptimeMs)}</dd></div>
    </dl>
  )
}

function Topics ({ pipeline: { topics } }: { readonly pipeline: WirePipeline }): ReactNode {
  const { t, format } = useI18n()
  return (
    <section className="panel topics" aria-labelledby="topics"><h2 id="topics">{t('pipeline.topics')}</h2>
      <table>
        <thead><tr><th scope="col">{t('pipeline.topic')}</th><th scope="col" className="right">{t('pipeline.partitions')}</th><th scope="col" className="right">{t('pipeline.records')}</th><th scope="col" className="right">{t('pipeline.rate')}</th></tr></thead>
        <tbody>{topics.map(topic => <tr key={topic.topic}><th scope="row"><code>{topic.topic}</code></th><td className="right number">{format.number(topic.partitions)}</td><td className="right number">{format.number(topic.records)}</td><td className="right number">{topic.perSecond === null ? '–' : format.significant(topic.perSecond)}</td></tr>)}</tbody>
      </table>
    </section>
  )
}

/** Seconds of work that a processor is behind before the page marks it. */
const BEHIND_SECONDS = 10

function Processors ({ pipeline: { processors } }: { readonly pipeline: WirePipeline }): ReactNode {
  const { t, format } = useI18n()
  return (
    <section className="panel" aria-labelledby="processors"><h2 id="processors">{t('pipeline.processors')}</h2>
      <table>
        <thead><tr><th scope="col">{t('pipeline.processor')}</th><th scope="col">{t('pipeline.state')}</th><th scope="col" className="right">{t('pipeline.lag')}</th><th scope="col" className="right">{t('pipeline.rate')}</th></tr></thead>
        <tbody>{processors.map(({ name, state, lag, perSecond }) => {
          const behind = lag !== null && lag > BEHIND_SECONDS * Math.max(perSecond ?? 0, 1)
          return <tr key={name}><th scope="row">{name}</th><td>{state}{behind && <span className="tag">{t('pipeline.behind')}</span>}</td><td className="right number">{lag === null ? '–' : format.number(lag)}</td><td className="right number">{perSecond === null ? '–' : format.significant(perSecond)}</td></tr>
        })}</tbody>
      </table>
    </section>
  )
}

function Connectors ({ pipeline: { connectors } }: { readonly pipeline: WirePipeline }): ReactNode {
  const { t, format } = useI18n()
  return (
    <section className="panel" aria-labelledby="connectors"><h2 id="connectors">{t('pipeline.connectors')}</h2>
      <ul className="connectors">{connectors.map(({ name, endpoint, health, counters }) => (
        <li key={name}>
          <p><strong>{name}</strong> <code className="quiet">{endpoint}</code></p>
          <p><HealthTag health={health} /></p>
          {counters.length === 0 ? <p className="quiet">{t('pipeline.noCounts')}</p> : <dl className="counters">{counters.map(({ what, count }) => <div key={what}><dt>{what}</dt><dd className="number">{format.number(count)}</dd></div>)}</dl>}
        </li>
      ))}</ul>
    </section>
  )
}
