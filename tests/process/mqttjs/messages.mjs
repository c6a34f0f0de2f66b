// Messages at every QoS, live and retained, in order, and of all bytes.
import assert from 'node:assert/strict'
import { connect, topic } from './client.mjs'

const publisher = await connect()
const subscriber = await connect()

for (const qos of [0, 1, 2]) {
  const name = topic(`live/${qos}`)
  const [granted] = await subscriber.subscribeAsync(name, { qos })
  assert.equal(granted.qos, qos)
  for (const sentQos of [0, 1, 2]) {
    await publisher.publishAsync(name, `sent with ${sentQos}`, { qos: sentQos, retain: true })
    const message = await subscriber.received()
    assert.equal(message.payload, `sent with ${sentQos}`)
    assert.equal(message.packet.qos, Math.min(qos, sentQos))
    assert.equal(message.packet.retain, false)
  }
}

const late = await connect()
await late.subscribeAsync(topic('live/2'), { qos: 2 })
const kept = await late.received()
assert.equal(kept.payload, 'sent with 2')
assert.equal(kept.packet.retain, true)

for (const qos of [0, 1, 2]) {
  const name = topic(`many/${qos}`)
  await subscriber.subscribeAsync(name, { qos })
  // The library keeps to no window of its own.
  const window = 10
  const sent = []
  for (let i = 0; i < 500; i++) {
    sent.push(publisher.publishAsync(name, String(i), { qos }))
    if (i >= window) await sent[i - window]
  }
  for (let i = 0; i < 500; i++) assert.equal((await subscriber.received()).payload, String(i))
  await Promise.all(sent)
}

const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => i % 256))
await subscriber.subscribeAsync(topic('bytes'), { qos: 1 })
await publisher.publishAsync(topic('bytes'), bytes, { qos: 1 })
assert.deepEqual((await subscriber.received()).packet.payload, bytes)

await subscriber.unsubscribeAsync(topic('bytes'))
await publisher.publishAsync(topic('bytes'), 'to nobody', { qos: 1 })
await publisher.publishAsync(topic('many/2'), 'fence', { qos: 2 })
assert.equal((await subscriber.received()).payload, 'fence')
assert.ok(subscriber.isEmpty())

await Promise.all([publisher, subscriber, late].map((client) => client.endAsync()))
