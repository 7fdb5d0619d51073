import { fileURLToPath } from 'node:url'

import tailwindcss from '@tailwindcss/vite'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

// Everything the page loads lies under /assets/, the one folder the service serves as files.
export default defineConfig({
  plugins: [
    vue(),
    tailwindcss(),
  ],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  define: { __VUE_OPTIONS_API__: 'false' },
  build: {
    assetsDir: 'assets',
    // An inlined font or image would be a data: address, which the content security policy refuses for fonts.
    assetsInlineLimit: 0,
    // The polyfill is for browsers that cannot run the rest of the page either.
    modulePreload: { polyfill: false },
    manifest: true,
    rolldownOptions: {
      output: {
        // What every view needs is one file: each file of its own costs a kilobyte of headers and a turn in the queue.
        codeSplitting: { groups: [{ name: 'base', test: /node_modules\/(@vue|vue|vue-router)\/|\/src\/(i18n|api\/|locales\/en\.json|composables\/(viewer|titles|resource|stored|inView|uniqueId|toasts|toastStack|interactions|about|covers|ownSite|offlineShell|anilistOutbox)\.|components\/(anime\/PosterGrid|common\/Icon))/ }] },
      },
    },
    // Texts of the licences of what is bundled, for whoever passes the built page on. Completed by scripts/licenses.mjs.
    license: { fileName: 'assets/licenses.md' },
  },
  server: {
    // The service compares Host and Origin: both must name this server.
    proxy: {
      '/api': { target: 'http://127.0.0.1:8000', changeOrigin: false },
      '/docs': { target: 'http://127.0.0.1:8000', changeOrigin: false },
    },
  },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.ts'],
    setupFiles: ['src/test-setup.ts'],
    restoreMocks: true,
    unstubGlobals: true,
  },
})
