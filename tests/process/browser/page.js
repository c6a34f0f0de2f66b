// Runs in the page, beside MQTT.js.

// A client that is connected: received() gives the next message, as [topic, bytes, qos].
async function connectedClient(url, options) {
  const client = mqtt.connect(url, { reconnectPeriod: 0, connectTimeout: 20_000, ...options })
  const messages = []
  const waiting = []
  client.on('message', (topic, payload, packet) => {
    const message = [topic, Array.from(payload), packet.qos]
    if (waiting.length > 0) waiting.shift()(message)
    else messages.push(message)
  })
  client.received = () =>
    messages.length > 0
      ? Promise.resolve(messages.shift())
      : new Promise((resolve) => waiting.push(resolve))
  await new Promise((resolve, reject) => {
    client.once('connect', resolve)
    client.once('error', reject)
    client.once('close', () => reject(new Error('closed before CONNACK')))
  })
  return client
}

function assertEqual(found, expected, what) {
  const [left, right] = [JSON.stringify(found), JSON.stringify(expected)]
  if (left !== right) {
    throw new Error(`${what}: ${left.slice(0, 200)} came, ${right.slice(0, 200)} was due`)
  }
}
