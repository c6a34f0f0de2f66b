// A will, a kept session, and what waits for it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, topic, version } from './client.mjs'

const watcher = await connect()
await watcher.subscribeAsync(topic('will'), { qos: 1 })
const mortal = await connect({
  will: { topic: topic('will'), payload: Buffer.from('gone'), qos: 1, retain: false },
})
mortal.stream.destroy()
assert.equal((await watcher.received()).payload, 'gone')

const kept = { clientId: `kept-${process.pid}`, clean: false }
if (version === 5) kept.properties = { sessionExpiryInterval: 600 }
const before = await connect(kept)
assert.ok(!before.connack.sessionPresent)
await before.subscribeAsync(topic('kept/#'), { qos: 2 })
await before.endAsync()
const count = 50
for (let i = 0; i < count; i++) {
  await watcher.publishAsync(topic(`kept/${i}`), String(i), { qos: i < count / 2 ? 1 : 2 })
}
const after = await connect(kept)
if (version > 3) assert.equal(after.connack.sessionPresent, true)
for (let i = 0; i < count; i++) assert.equal((await after.received()).payload, String(i))

const closed = once(after, 'close')
const newest = await connect(kept)
await closed
await newest.publishAsync(topic('kept/live'), 'to the newest', { qos: 2 })
assert.equal((await newest.received()).payload, 'to the newest')
assert.ok(after.isEmpty())

await Promise.all([watcher, newest].map((client) => client.endAsync()))
