// What the scripts share: a connection to the broker under test, and promises to wait for.
//
// Every script is called with the broker's port or URL and a protocol version (3, 4 or 5), and
// exits with 0 or with an error that says what was wrong.
import { once } from 'node:events'
import mqtt from 'mqtt'

const waitMs = 20_000

const door = process.argv[2]
export const url = door.includes('://') ? door : `mqtt://127.0.0.1:${door}`
export const version = Number(process.argv[3])
const run = `js-${process.pid}-${version}`

// Nothing may take for ever.
setTimeout(() => {
  console.error(`not done after ${waitMs} ms`)
  process.exit(1)
}, waitMs).unref()

export function topic(name) {
  return `${run}/${name}`
}

// A client that is connected: `client.connack` is the packet that said so, and `client.received()`
// gives the next message.
export async function connect(options = {}) {
  const client = mqtt.connect(url, {
    protocolVersion: version,
    protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
    reconnectPeriod: 0,
    connectTimeout: waitMs,
    ...options,
  })
  const waiting = []
  const messages = []
  client.on('message', (name, payload, packet) => {
    const message = { topic: name, payload: payload.toString(), packet }
    const taker = waiting.shift()
    if (taker) taker(message)
    else messages.push(message)
  })
  client.received = () =>
    messages.length > 0
      ? Promise.resolve(messages.shift())
      : new Promise((resolve) => waiting.push(resolve))
  client.isEmpty = () => messages.length === 0
  ;[client.connack] = await once(client, 'connect')
  return client
}
