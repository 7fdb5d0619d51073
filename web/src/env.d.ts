/// <reference types="vite/client" />

interface Window {
  /** The answer to `/about` that early.js asked for; gone once it was taken. */
  garsAbout?: Promise<Response>
}
