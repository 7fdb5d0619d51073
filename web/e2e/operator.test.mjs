// The operator's view: closed without the token, and what it shows and does with it.
import { after, before, describe, it } from 'node:test'

import { ask, BASE, launch, someUser, withPage } from './browser.mjs'
import { ADMIN } from './fake-operator.mjs'

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

async function open(page, token) {
  await page.goto(`${BASE}/admin`)
  await page.getByLabel('Operator’s token').fill(token)
  await page.getByRole('button', { name: 'Open' }).click()
}

describe('the operator', () => {
  it('is refused with another token', () =>
    withPage(browser, {}, async (page, { expect }) => {
      expect(/Failed to load resource.*40[13]/)
      await open(page, 'not-the-token-at-all')
      await page.getByRole('alert').getByText('The service refuses').waitFor()
    }))

  // A service started by somebody else has a token of its own.
  const known = !process.env.GARS_URL_IS_REAL || process.env.GARS_ADMIN_TOKEN
  it('sees counters, latencies and models, and what each channel finds for a user', { skip: known ? false : 'GARS_ADMIN_TOKEN is not set' }, () =>
    withPage(browser, {}, async (page, { expect }) => {
      expect(/Failed to load resource.*404/)
      await open(page, ADMIN)
      await page.getByText('events accepted').waitFor()
      const latency = page.getByRole('region', { name: 'Latency, milliseconds' })
      await latency.getByText('click to list').waitFor()
      await page.getByRole('region', { name: 'Models' }).getByText('serving').waitFor()
      const preview = page.getByRole('region', { name: 'Preview for a user' })
      await preview.getByLabel('User').fill(await someUser(0))
      await preview.getByRole('button', { name: 'Show' }).click()
      await preview.getByRole('listitem').first().waitFor()
      await page.reload()
      await page.getByText('events accepted').waitFor()
      await page.getByRole('button', { name: 'Forget the token' }).click()
      await page.getByLabel('Operator’s token').waitFor()
    }))

  it('sees how long a list takes and how many were kept, once some were asked for', { skip: known ? false : 'GARS_ADMIN_TOKEN is not set' }, () =>
    withPage(browser, {}, async (page, { expect }) => {
      expect(/Failed to load resource.*404/)
      for (let again = 0; again < 2; again += 1) await ask(`/users/${await someUser(0)}/recommendations?k=5`)
      await open(page, ADMIN)
      const list = page.getByRole('region', { name: 'Latency, milliseconds' }).getByRole('row', { name: 'a list' })
      await list.getByRole('cell').first().getByText(/\d/).waitFor()
      await page.getByRole('region', { name: 'Which answer was given' }).getByText('ranking · ok').waitFor()
      const kept = page.getByRole('definition').filter({ hasText: /^\d+(\.\d)?%$/ }).first()
      await kept.waitFor()
    }))

  const standIn = { skip: process.env.GARS_URL_IS_REAL ? 'the home may hold no validation and no run' : false }
  it('sees the checks of the data, what moved, the runs and the losses', standIn, () =>
    withPage(browser, {}, async (page, { expect }) => {
      expect(/Failed to load resource.*404/)
      await open(page, ADMIN)
      const validation = page.getByRole('region', { name: 'Data' })
      await validation.getByText('not accepted').waitFor()
      await validation.getByText('distance of the histograms of ratings').waitFor()
      await validation.getByRole('row', { name: 'mean rating' }).getByText('7.4').waitFor()
      const runs = page.getByRole('region', { name: 'Retraining' })
      await runs.getByText('kept the old one').waitFor()
      await runs.getByText('ndcg@10').waitFor()
      await page.getByRole('region', { name: 'The last training' }).getByRole('img', { name: /Order head/ }).waitFor()
    }))

  it('gets the command where there is nothing yet', standIn, () =>
    withPage(browser, {}, async (page, { expect }) => {
      expect(/Failed to load resource.*404/)
      await page.route(/admin\/(validation|training)$/, (route) => route.fulfill({ json: { latest: null } }))
      await page.route(/admin\/runs$/, (route) => route.fulfill({ json: { runs: [] } }))
      await open(page, ADMIN)
      for (const command of ['gars data validate', 'gars pipeline run', 'gars train']) await page.getByText(command, { exact: true }).waitFor()
    }))

  it('sees an A/B test arm by arm, and is warned where the arms are uneven', { skip: known ? false : 'GARS_ADMIN_TOKEN is not set' }, () =>
    withPage(browser, {}, async (page) => {
      const rate = { rate: 0.12, low: 0.1, high: 0.14 }
      const arm = (name, users) => ({ name, share: 0.5, users, impressions: 10 * users, clicks: users, dismissals: 3, click_through: rate, dismiss_rate: { rate: 0.03, low: 0.02, high: 0.04 } })
      await page.route('**/api/v1/experiment', (route) =>
        route.fulfill({ json: { name: 'niche-first', sample_ratio_ok: false, sample_ratio_p: 0.0001, variants: [arm('as it is', 900), arm('more niche', 700)] } }),
      )
      await open(page, ADMIN)
      const test = page.getByRole('region', { name: 'A/B test: niche-first' })
      await test.getByRole('row', { name: /^more niche/ }).getByText('12% (10%–14%)').waitFor()
      await test.getByRole('alert').waitFor()
    }))

  it('serves another model, and goes back', { skip: process.env.GARS_URL_IS_REAL ? 'one model may be all there is' : false }, () =>
    withPage(browser, {}, async (page, { expect }) => {
      expect(/Failed to load resource.*404/)
      await open(page, ADMIN)
      const models = page.getByRole('region', { name: 'Models' })
      await models.getByRole('button', { name: 'Serve this one' }).click()
      await page.getByText('model-a serves now').first().waitFor()
      await models.getByRole('button', { name: 'Back to the one before' }).click()
      await page.getByText('model-b serves now').first().waitFor()
    }))
})
