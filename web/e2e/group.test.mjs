// Group night: one ranked compromise of several lists.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { ask, BASE, launch, selectViewer, someUser, withPage } from './browser.mjs'

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

describe('group night', () => {
  it('ranks one compromise, with everybody’s joy, and can be shared by its address', () =>
    withPage(browser, {}, async (page) => {
      const [one, two] = [await someUser(0), await someUser(1)]
      await selectViewer(page, one)
      await page.goto(`${BASE}/group`)
      await page.getByRole('heading', { name: 'Add one more' }).waitFor()
      await page.getByLabel('Viewer number').fill('no such viewer')
      await page.getByRole('button', { name: 'Add', exact: true }).click()
      await page.getByRole('alert').getByText('There is no viewer “no such viewer”.').waitFor()
      await page.getByLabel('Viewer number').fill(two)
      await page.getByRole('button', { name: 'Add', exact: true }).click()
      await page.waitForURL((url) => url.searchParams.getAll('member').join() === `${one},${two}`)
      const list = page.getByRole('list', { name: 'For all of you' })
      await list.waitFor()
      const { items } = await ask('/groups/recommendations?k=24', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ members: [{ user_id: one }, { user_id: two }] }),
      })
      const shown = await list.locator('h3 a').evaluateAll((links) => links.map((link) => Number(link.getAttribute('href').split('/').pop())))
      assert.deepEqual(shown, items.map(({ anime }) => anime.anime_id))
      await list.getByText(`Viewer ${two}: ${Math.round(items[0].joys[two] * 100)}%`).first().waitFor()
      await page.getByRole('button', { name: `Remove Viewer ${two}` }).click()
      await page.getByRole('heading', { name: 'Add one more' }).waitFor()
    }))

  it('invites by a link with names, which never reach the service', () =>
    withPage(browser, { permissions: ['clipboard-read', 'clipboard-write'] }, async (page) => {
      const [one, two] = [await someUser(2), await someUser(3)]
      await selectViewer(page, one)
      await page.goto(`${BASE}/group`)
      const invite = page.getByRole('region', { name: 'Invite friends' })
      await invite.getByLabel('Your name on it').fill('Anna')
      await invite.getByRole('button', { name: 'Copy link' }).click()
      await page.getByText('Link copied. Send it to your friends.').waitFor()
      const link = await page.evaluate(() => navigator.clipboard.readText())
      assert.equal(link, `${BASE}/group?member=${one}#${one}=Anna`)

      await withPage(browser, {}, async (friend) => {
        const asked = []
        friend.on('request', (request) => asked.push(request.url() + (request.postData() ?? '')))
        await selectViewer(friend, two)
        await friend.goto(link)
        await friend.getByText('You are invited to watch with Anna.').waitFor()
        // No two of the same name.
        await friend.getByLabel('Your name on it').fill('anna')
        await friend.getByRole('button', { name: 'Join' }).click()
        await friend.getByRole('list', { name: 'For all of you' }).waitFor()
        await friend.getByRole('button', { name: 'Remove Anna', exact: true }).waitFor()
        await friend.getByRole('button', { name: 'Remove anna 2', exact: true }).waitFor()
        assert.deepEqual(asked.filter((text) => /anna/i.test(text.split('#')[0])), [], 'a name was sent')
      })
    }))

  it('takes a viewer who does not exist for an error', () =>
    withPage(browser, {}, async (page, { expect }) => {
      expect(/404/)
      const one = await someUser(0)
      await selectViewer(page, one)
      await page.goto(`${BASE}/group?member=${one}&member=unknown-user`)
      await page.getByRole('alert').getByText('There is no such viewer.').waitFor()
    }))
})
