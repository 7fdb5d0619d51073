// What a browser loads and how long it takes, measured by the DevTools protocol in Chromium.

/** The most that each may cost: kB, requests, milliseconds. */
export const BUDGET = { firstLoad: 90, clickRequests: 3, clickKilobytes: 25, largestPaint: 2000 }

/**
 * Record every answer of `page`: its address, kind, and the bytes that went over the wire, headers included; and when each
 * request was sent, in milliseconds of the clock.
 */
export async function recordTransfers(page) {
  const protocol = await page.context().newCDPSession(page)
  await protocol.send('Network.enable')
  const responses = new Map()
  const sentAt = new Map()
  const transfers = []
  protocol.on('Network.requestWillBeSent', ({ requestId, wallTime }) => sentAt.set(requestId, wallTime * 1000))
  protocol.on('Network.responseReceived', ({ requestId, type, response }) => responses.set(requestId, { url: response.url, type }))
  protocol.on('Network.loadingFinished', ({ requestId, encodedDataLength: bytes }) => {
    const response = responses.get(requestId)
    if (response) transfers.push({ requestId, ...response, bytes })
  })
  return { protocol, transfers, sentAt }
}

const CODE = new Set(['Document', 'Script', 'Stylesheet'])

/** Sum transfers: the code of the page, its typefaces, and the answers of the API, in kB. */
export function summarize(transfers) {
  const sum = (wanted) => transfers.filter(wanted).reduce((total, { bytes }) => total + bytes, 0) / 1024
  return {
    code: sum(({ type }) => CODE.has(type)),
    fonts: sum(({ type }) => type === 'Font'),
    data: sum(({ url }) => url.includes('/api/')),
    all: sum(() => true),
    requests: transfers.length,
  }
}

/**
 * Load `url` with an empty cache, and return what went over the wire for the content that `selector` finds: the answers to
 * all that was asked for before it stood. What the page loads ahead once the browser is idle is not among it, however late
 * this process is told that the content stands.
 */
export async function measureFirstLoad(page, url, selector) {
  const { protocol, transfers, sentAt } = await recordTransfers(page)
  await protocol.send('Network.setCacheDisabled', { cacheDisabled: true })
  await page.addInitScript((wanted) => {
    const observer = new MutationObserver(() => {
      if (!document.querySelector(wanted)) return
      window.stoodAt = performance.timeOrigin + performance.now()
      observer.disconnect()
    })
    observer.observe(document, { childList: true, subtree: true })
  }, selector)
  await page.goto(url, { waitUntil: 'commit' })
  const stoodAt = await (await page.waitForFunction(() => window.stoodAt)).jsonValue()
  await waitForQuiet(page)
  await protocol.detach()
  const loaded = transfers.filter(({ requestId }) => sentAt.get(requestId) <= stoodAt)
  return { ...summarize(loaded), transfers: loaded }
}

/** Wait until no answer has come for 700 ms. The event stream is open all the time, so the network is never idle. */
export const waitForQuiet = (page) =>
  page.waitForFunction(() => {
    const [count, now] = [performance.getEntriesByType('resource').length, performance.now()]
    if (count !== window.countBefore) Object.assign(window, { countBefore: count, countedAt: now })
    return now - window.countedAt > 700
  })

/**
 * Do `act`, wait until `done` resolves, and return the responses up to then. The event stream never ends and is no answer; what
 * came from the browser's cache did not go over the wire.
 */
export async function measureAction(page, act, done) {
  const { protocol, transfers } = await recordTransfers(page)
  await act()
  await done()
  await protocol.detach()
  const answers = transfers.filter(({ type, bytes }) => type !== 'EventSource' && bytes > 0)
  return { ...summarize(answers), transfers: answers }
}

/**
 * Click the button of `name` on `times` titles, one after the other, and return the milliseconds from each click to the DOM
 * that shows another list. Both ends are taken in the page, so what this process takes is not among them.
 */
export async function measureClicks(page, cardSelector, name, times) {
  await page.evaluate(([selector]) => {
    const ids = () => [...document.querySelectorAll(selector)].map((card) => card.querySelector('a').getAttribute('href')).join()
    window.clickTimes = []
    let [before, clickedAt] = [null, 0]
    document.addEventListener('click', () => ([before, clickedAt] = [ids(), performance.now()]), { capture: true })
    new MutationObserver(() => {
      if (before === null || ids() === before) return
      window.clickTimes.push(performance.now() - clickedAt)
      before = null
    }).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ['href', 'inert'] })
  }, [cardSelector])
  for (let done = 0; done < times; done++) {
    await page.locator(cardSelector).nth(2).getByRole('button', { name }).click()
    await page.waitForFunction((count) => window.clickTimes.length > count, done)
    await page.waitForTimeout(300)
  }
  return page.evaluate(() => window.clickTimes)
}

/** 1.6 Mbit/s with a round trip of 150 ms: what Lighthouse calls slow 4G. */
const SLOW_4G = { offline: false, latency: 150, downloadThroughput: (1.6 * 1024 * 1024) / 8, uploadThroughput: (0.75 * 1024 * 1024) / 8 }

/** Load `url` over slow 4G on a processor slowed down `slowdown` times; return first and largest contentful paint in ms. */
export async function measurePaint(page, url, ready, slowdown = 4) {
  const protocol = await page.context().newCDPSession(page)
  await protocol.send('Network.enable')
  await protocol.send('Network.setCacheDisabled', { cacheDisabled: true })
  await protocol.send('Network.emulateNetworkConditions', SLOW_4G)
  await protocol.send('Emulation.setCPUThrottlingRate', { rate: slowdown })
  await page.addInitScript(() => {
    window.largest = 0
    new PerformanceObserver((list) => list.getEntries().forEach(({ startTime }) => (window.largest = startTime))).observe({ type: 'largest-contentful-paint', buffered: true })
  })
  await page.goto(url, { waitUntil: 'commit' })
  await ready()
  const paint = await page.evaluate(() => ({ first: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0, largest: window.largest }))
  await protocol.detach()
  return paint
}
