// Enhanced authentication by SCRAM-SHA-256, with Node's own cryptography. What is to be done, and
// as whom, stands behind the port and the version:
//
//   login USER PASSWORD                  log in, work, prove it again, work
//   refused USER PASSWORD                be refused as a wrong user or password
//   method NAME                          be refused for a method of this name
//   again USER PASSWORD USER2 PASSWORD2  log in as the first, be refused as the second
import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import { once } from 'node:events'
import mqtt from 'mqtt'
import { topic, url, version } from './client.mjs'

const scram = 'SCRAM-SHA-256'
const [task, ...words] = process.argv.slice(4)

const hmac = (key, text) => crypto.createHmac('sha256', key).update(text).digest()

class Exchange {
  constructor(user, password) {
    this.password = password
    this.nonce = crypto.randomBytes(18).toString('base64')
    this.bare = `n=${user.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${this.nonce}`
  }

  first() {
    return Buffer.from(`n,,${this.bare}`)
  }

  final(serverFirst) {
    const parts = /^r=([^,]+),s=([^,]+),i=([0-9]+)$/.exec(serverFirst)
    assert.ok(parts, `not a server's first message: ${serverFirst}`)
    const [, nonce, salt, iterations] = parts
    assert.ok(nonce.startsWith(this.nonce) && nonce.length >= this.nonce.length + 18)
    assert.ok(Number(iterations) >= 4096)
    const start = `c=biws,r=${nonce}`
    const message = `${this.bare},${serverFirst},${start}`
    const salted = crypto.pbkdf2Sync(
      this.password,
      Buffer.from(salt, 'base64'),
      Number(iterations),
      32,
      'sha256',
    )
    const proof = hmac(salted, 'Client Key')
    const mask = hmac(crypto.createHash('sha256').update(proof).digest(), message)
    for (let i = 0; i < proof.length; i++) proof[i] ^= mask[i]
    this.signature = `v=${hmac(hmac(salted, 'Server Key'), message).toString('base64')}`
    return Buffer.from(`${start},p=${proof.toString('base64')}`)
  }

  // That the server knows the password as well.
  verify(properties) {
    assert.equal(properties.authenticationMethod, scram)
    assert.ok(this.signature, 'the server was satisfied without a proof')
    assert.equal(properties.authenticationData.toString(), this.signature)
  }
}

function auth(reasonCode, authenticationData) {
  return {
    cmd: 'auth',
    reasonCode,
    properties: { authenticationMethod: scram, authenticationData },
  }
}

// A client that has sent its CONNECT.
function open(exchange, method = scram) {
  const client = mqtt.connect(url, {
    protocolVersion: version,
    reconnectPeriod: 0,
    properties: { authenticationMethod: method, authenticationData: exchange.first() },
  })
  client.exchange = exchange
  client.handleAuth = (packet, done) => {
    try {
      assert.equal(packet.properties.authenticationMethod, scram)
      if (packet.reasonCode === 0x18) {
        const data = packet.properties.authenticationData.toString()
        done(undefined, auth(0x18, client.exchange.final(data)))
      } else {
        client.exchange.verify(packet.properties)
        done()
        client.emit('proven')
      }
    } catch (error) {
      done(error)
    }
  }
  return client
}

async function logIn(exchange) {
  const client = open(exchange)
  const [connack] = await once(client, 'connect')
  exchange.verify(connack.properties)
  return client
}

// MQTT.js answers the server's AUTH by itself, but has no door of its own for a first one.
function proveAgain(client, exchange) {
  client.exchange = exchange
  client._sendPacket(auth(0x19, exchange.first()))
}

async function work(client, payload) {
  const arrived = once(client, 'message')
  await client.publishAsync(topic('scram'), payload, { qos: 1 })
  assert.equal((await arrived)[1].toString(), payload)
}

async function refusal(client, code) {
  client.on('connect', () => assert.fail('it was let in'))
  const connack = new Promise((resolve) => client.on('packetreceive', (packet) => {
    if (packet.cmd === 'connack') resolve(packet)
  }))
  const [error] = await once(client, 'error')
  assert.equal(error.code, code, String(error))
  const { properties } = await connack
  assert.ok(!properties?.authenticationData?.toString().startsWith('v='))
}

const tasks = {
  async login(user, password) {
    const client = await logIn(new Exchange(user, password))
    await client.subscribeAsync(topic('scram'), { qos: 1 })
    await work(client, 'after the login')
    for (let i = 0; i < 3; i++) {
      const proven = once(client, 'proven')
      proveAgain(client, new Exchange(user, password))
      // What goes on meanwhile goes on under the old proof.
      await work(client, `while it is proven again ${i}`)
      await proven
      await work(client, `proven again ${i}`)
    }
    await client.endAsync()
  },

  async refused(user, password) {
    await refusal(open(new Exchange(user, password)), 0x86)
  },

  async method(name) {
    await refusal(open(new Exchange('anna', 'pencil'), name), 0x8c)
  },

  async again(user, password, secondUser, secondPassword) {
    const client = await logIn(new Exchange(user, password))
    client.on('proven', () => assert.fail('the second proof was taken'))
    const farewell = once(client, 'disconnect')
    const closed = once(client, 'close')
    proveAgain(client, new Exchange(secondUser, secondPassword))
    const [packet] = await farewell
    // "Not authorized": a DISCONNECT has no 0x86 (MQTT-3.14.2-1), and MQTT.js takes none.
    assert.equal(packet.reasonCode, 0x87)
    await closed
  },
}

await tasks[task](...words)
