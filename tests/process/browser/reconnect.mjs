// A page whose client connects again by itself while the broker restarts. Says "connected" when the
// broker may go, and then waits for the connection's end and its return.
import { options, withPage } from './browser.mjs'

await withPage(async (page) => {
  await page.evaluate(async ({ url, version }) => {
    window.client = await connectedClient(url, {
      protocolVersion: version,
      clientId: 'page',
      clean: false,
      properties: { sessionExpiryInterval: 600 },
      reconnectPeriod: 100,
    })
    window.cut = new Promise((resolve) => client.once('close', resolve))
    window.found = cut.then(() => new Promise((resolve) => client.once('connect', resolve)))
    await client.subscribeAsync('browser/again', { qos: 1 })
  }, options)
  console.log('connected')
  await page.evaluate(async () => {
    await cut
    const connack = await found
    assertEqual(connack.sessionPresent, true, 'session present')
    // Of while it was away, and live.
    assertEqual((await client.received())[1], Array.from('kept', (c) => c.charCodeAt(0)), 'kept')
    await client.publishAsync('browser/again', 'live', { qos: 1 })
    assertEqual((await client.received())[1], Array.from('live', (c) => c.charCodeAt(0)), 'live')
    await client.endAsync()
  })
})
