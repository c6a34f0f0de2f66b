// Payloads from nothing to 300 KiB at every QoS, and many at once in both directions.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { connect, topic } from './client.mjs'

const client = await connect()
await client.subscribeAsync(topic('sizes'), { qos: 2 })

// Around the lengths at which WebSocket frames and TLS records change their form.
for (const size of [0, 1, 100, 120, 125, 126, 127, 16_300, 16_384, 65_535, 65_536, 300 * 1024]) {
  for (const qos of [0, 1, 2]) {
    const payload = randomBytes(size)
    await client.publishAsync(topic('sizes'), payload, { qos })
    assert.deepEqual((await client.received()).packet.payload, payload, `${size} bytes, QoS ${qos}`)
  }
}

const payloads = Array.from({ length: 60 }, (_, i) => randomBytes((i * 1_237) % 40_000))
const sent = payloads.map((payload) => client.publishAsync(topic('sizes'), payload, { qos: 1 }))
for (const payload of payloads) {
  assert.deepEqual((await client.received()).packet.payload, payload)
}
await Promise.all(sent)
await client.endAsync()
