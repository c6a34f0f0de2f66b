// The page is not let in: its WebSocket fails before it opens.
import { options, withPage } from './browser.mjs'

await withPage((page) =>
  page.evaluate(async ({ url, version }) => {
    const outcome = await connectedClient(url, { protocolVersion: version }).then(
      () => 'connected', () => 'refused')
    assertEqual(outcome, 'refused', 'a page of another origin')
    const plain = await new Promise((resolve) => {
      const socket = new WebSocket(url, 'mqtt')
      socket.onopen = () => resolve('open')
      socket.onclose = (event) => resolve(`closed ${event.code}`)
    })
    assertEqual(plain, 'closed 1006', 'WebSocket')
  }, options))
