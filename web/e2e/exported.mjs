// A list as a reader brings it from elsewhere.
import { ask } from './browser.mjs'

/** A MyAnimeList export of `count` known titles, with one unknown title. */
export async function exported(count) {
  const { items } = await ask(`/onboarding?k=${count}`)
  const entry = (id, title) =>
    `<anime><series_animedb_id>${id}</series_animedb_id><series_title><![CDATA[${title}]]></series_title><my_score>9</my_score><my_status>Completed</my_status></anime>`
  const entries = [...items.map(({ anime_id, title }) => entry(anime_id, title)), entry(999999999, 'Next Year')]
  return { items, xml: `<?xml version="1.0" encoding="UTF-8"?><myanimelist><myinfo><user_export_type>1</user_export_type></myinfo>${entries.join('')}</myanimelist>` }
}

/** Drop a file anywhere on the page. */
export const drop = (page, name, text) =>
  page.evaluate(
    ([as, content]) => {
      const files = new DataTransfer()
      files.items.add(new File([content], as, { type: 'text/xml' }))
      for (const kind of ['dragover', 'drop']) window.dispatchEvent(new DragEvent(kind, { dataTransfer: files, bubbles: true, cancelable: true }))
    },
    [name, text],
  )
