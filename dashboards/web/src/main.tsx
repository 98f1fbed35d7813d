import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import './style/base.css'
import './style/alerts.css'
import './style/board.css'
import './style/patient.css'
import './style/pipeline.css'
import './style/drift.css'
import './style/feeds.css'
import './style/catalogue.css'
import { App } from './app.tsx'
import { I18nProvider } from './i18n/index.tsx'
import { startLive } from './live.ts'

startLive()
createRoot(document.getElementById('root')!).render(<StrictMode><I18nProvider><App /></I18nProvider></StrictMode>)
