// Prints what the page costs a reader, measured in Chromium against the service at GARS_URL, and fails where the bytes or
// requests pass their budget. Times depend on the machine: they are compared with their goal, and fail only with --times.
process.env.GARS_URL ??= 'http://127.0.0.1:8000'
const { ask, BASE, CARD, cards, launch, listedIds, openPage, PICK, selectViewer, someUser, waitForOtherList } = await import('../e2e/browser.mjs')
const { BUDGET, measureAction, measureFirstLoad, measurePaint, waitForQuiet } = await import('../e2e/measure.mjs')

const failures = []
function line(name, value, unit, budget, fails = true) {
  const over = budget !== undefined && value > budget
  if (over && fails) failures.push(name)
  const shown = unit === 'kB' ? value.toFixed(1) : Math.round(value)
  console.log(`${String(shown).padStart(8)} ${unit.padEnd(8)} ${name}${budget === undefined ? '' : `, budget ${budget}${over ? '  ← over' : ''}`}`)
}

/** Open a title in the side panel from its cover, without moving the pointer over anything else. */
const open = (page, at) => cards(page).nth(at).getByRole('link', { includeHidden: true }).first().click()

const withTimes = process.argv.includes('--times')
const browser = await launch()
const userId = await someUser(0)
await ask(`/users/${userId}/recommendations?k=11`)

async function visit(prepare, run) {
  const { page } = await openPage(browser)
  page.context().setDefaultTimeout(60_000)
  if (prepare) await selectViewer(page, userId)
  await run(page)
  await page.context().close()
}
for (const [name, known, title] of [['first visit', false, PICK], ['list', true, CARD]]) {
  await visit(known, async (page) => {
    const load = await measureFirstLoad(page, BASE, title)
    line(`${name}: code (HTML, scripts, styles) before it stands`, load.code, 'kB', BUDGET.firstLoad)
    line(`${name}: typefaces until then`, load.fonts, 'kB')
    line(`${name}: answers of the API until then`, load.data, 'kB')
    if (process.argv.includes('--files')) for (const { url, bytes } of load.transfers) line(`  ${url.slice(BASE.length)}`, bytes / 1024, 'kB')
  })
  await visit(known, async (page) => {
    const { first, largest } = await measurePaint(page, BASE, () => page.locator(title).first().waitFor())
    line(`${name}: first contentful paint, slow 4G, processor ×4`, first, 'ms')
    line(`${name}: largest contentful paint, slow 4G, processor ×4`, largest, 'ms', BUDGET.largestPaint, withTimes)
  })
}

await visit(true, async (page) => {
  await page.goto(BASE)
  await cards(page).nth(4).waitFor()
  await page.getByText('Live', { exact: true }).waitFor({ state: 'attached' })
  for (const [name, act] of [
    ['like', () => cards(page).nth(1).getByRole('button', { name: /^Like: / }).click()],
    ['open in the side panel, for the first time', () => open(page, 1)],
    ['open in the side panel', () => open(page, 2)],
  ]) {
    await waitForQuiet(page)
    const before = await listedIds(page)
    const cost = await measureAction(page, act, () => waitForOtherList(page, before))
    // The first time brings the code of the panel, which then stays in the browser's cache for good.
    line(`${name}: requests until the list has moved`, cost.requests, 'requests', name.endsWith('first time') ? undefined : BUDGET.clickRequests)
    line(`${name}: bytes until the list has moved`, cost.all, 'kB', BUDGET.clickKilobytes)
    if (process.argv.includes('--files')) for (const { url, bytes } of cost.transfers) line(`  ${url.slice(BASE.length)}`, bytes / 1024, 'kB')
  }
})

await browser.close()
if (failures.length) {
  console.error(`budget: over in ${failures.length} of the lines above\n  → npm run budget -- --files shows each file; load it lazily, or drop a dependency`)
  process.exit(1)
}
