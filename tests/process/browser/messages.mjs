// Publishes and receives in a page at every QoS, payloads of all bytes and sizes.
import { options, withPage } from './browser.mjs'

await withPage((page) =>
  page.evaluate(async ({ url, version }) => {
    const topic = `browser/${Math.random()}`
    const publisher = await connectedClient(url, { protocolVersion: version })
    const subscriber = await connectedClient(url, { protocolVersion: version })
    for (const qos of [0, 1, 2]) {
      const [granted] = await subscriber.subscribeAsync(`${topic}/${qos}`, { qos })
      assertEqual(granted.qos, qos, 'granted QoS')
      for (const size of [0, 1, 125, 126, 65_535, 65_536, 300 * 1024]) {
        const payload = Uint8Array.from({ length: size }, (_, i) => (i * 7 + qos) % 256)
        await publisher.publishAsync(`${topic}/${qos}`, payload, { qos })
        const [, found, foundQos] = await subscriber.received()
        assertEqual(found, Array.from(payload), `${size} bytes`)
        assertEqual(foundQos, qos, 'QoS')
      }
    }
    const sent = []
    for (let i = 0; i < 50; i++) {
      sent.push(publisher.publishAsync(`${topic}/1`, Uint8Array.of(i), { qos: 1 }))
    }
    for (let i = 0; i < 50; i++) assertEqual((await subscriber.received())[1], [i], 'order')
    await Promise.all(sent)
    await publisher.endAsync()
    await subscriber.endAsync()
  }, options))
