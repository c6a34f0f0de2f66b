// What only MQTT 5 has: properties, aliases both ways, shared subscriptions, request and response.
import assert from 'node:assert/strict'
import { connect, topic } from './client.mjs'

const subscriber = await connect({
  properties: { topicAliasMaximum: 5, requestProblemInformation: true },
})
// This library chooses and resolves the aliases by itself.
const publisher = await connect({ autoUseTopicAlias: true, autoAssignTopicAlias: true })

await subscriber.subscribeAsync(topic('properties/+'), {
  qos: 1,
  properties: { subscriptionIdentifier: 321 },
})
const properties = {
  contentType: 'application/json',
  responseTopic: topic('answers'),
  correlationData: Buffer.from([0, 1, 255]),
  payloadFormatIndicator: true,
  messageExpiryInterval: 1000,
  userProperties: { b: ['1', '2'], a: '3' },
}
for (let i = 0; i < 20; i++) {
  const name = topic(`properties/${i % 3}`)
  await publisher.publishAsync(name, `{"i":${i}}`, { qos: 1, properties })
  const message = await subscriber.received()
  const found = message.packet.properties
  assert.equal(message.topic, name)
  assert.equal(message.payload, `{"i":${i}}`)
  assert.equal(found.subscriptionIdentifier, 321)
  for (const key of ['contentType', 'responseTopic', 'payloadFormatIndicator']) {
    assert.equal(found[key], properties[key], key)
  }
  assert.deepEqual(found.correlationData, properties.correlationData)
  assert.deepEqual({ ...found.userProperties }, properties.userProperties)
  assert.ok(found.messageExpiryInterval > 900 && found.messageExpiryInterval <= 1000)
}

// A request, and its answer by the two properties that are for that.
subscriber.handleMessage = (packet, done) => {
  if (packet.topic === topic('requests')) {
    subscriber.publish(packet.properties.responseTopic, `re: ${packet.payload}`, {
      qos: 1,
      properties: { correlationData: packet.properties.correlationData },
    })
  }
  done()
}
await subscriber.subscribeAsync(topic('requests'), { qos: 1 })
await publisher.subscribeAsync(topic('answers'), { qos: 1 })
await publisher.publishAsync(topic('requests'), 'question', { qos: 1, properties })
const answer = await publisher.received()
assert.equal(answer.payload, 're: question')
assert.deepEqual(answer.packet.properties.correlationData, properties.correlationData)

const group = await Promise.all([connect(), connect()])
for (const member of group) {
  await member.subscribeAsync(`$share/group/${topic('shared')}`, { qos: 1 })
}
const count = 100
const found = []
const all = new Promise((resolve) => {
  for (const member of group) {
    member.on('message', (name, payload) => {
      found.push(Number(payload))
      if (found.length === count) resolve()
    })
  }
})
for (let i = 0; i < count; i++) await publisher.publishAsync(topic('shared'), String(i), { qos: 1 })
await all
assert.deepEqual(
  found.sort((a, b) => a - b),
  Array.from({ length: count }, (_, i) => i),
)

const clients = [publisher, subscriber, ...group]
await Promise.all(clients.map((client) => client.endAsync()))
