import react from '@vitejs/plugin-react'
import { defineConfig, type UserConfig } from 'vite'

/** `vite build dashboards/web`; with `vite dashboards/web` the API of a running server is asked through `/api`. */
const config: UserConfig = defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: { outDir: '../../dist/web', emptyOutDir: true, assetsInlineLimit: 0, target: 'es2022', modulePreload: { polyfill: false } },
  server: { host: '127.0.0.1', proxy: { '/api': { target: 'http://127.0.0.1:8080', changeOrigin: true } } },
})

export default config
