// What the scripts share: a page in Debian's Chromium, headless, that has loaded MQTT.js.
//
// Every script is called with one argument in JSON: `url` is the broker's WebSocket, `version` the
// protocol's, `page_host` and `page_port` where the page comes from. It exits with 0, or with an
// error that says what was wrong.
import { readFile } from 'node:fs/promises'
import http from 'node:http'
import { chromium } from 'playwright-core'

const waitMs = 40_000
const executablePath = '/usr/bin/chromium'
const library = new URL('../node_modules/mqtt/dist/mqtt.js', import.meta.url)
const helpers = new URL('./page.js', import.meta.url)

export const options = {
  version: 4,
  page_host: 'localhost',
  page_port: 0,
  ...JSON.parse(process.argv[2]),
}

// Nothing may take for ever.
setTimeout(() => {
  console.error(`not done after ${waitMs} ms`)
  process.exit(1)
}, waitMs).unref()

// A web server on loopback for the page; its port.
async function serve() {
  const files = {
    '/': [
      'text/html',
      '<!doctype html><script src="mqtt.js"></script><script src="page.js"></script>',
    ],
    '/favicon.ico': ['image/png', ''],
    '/mqtt.js': ['text/javascript', await readFile(library)],
    '/page.js': ['text/javascript', await readFile(helpers)],
  }
  const server = http.createServer((request, response) => {
    const [type, body] = files[request.url] ?? ['text/plain', '']
    response.writeHead(files[request.url] ? 200 : 404, { 'content-type': type })
    response.end(body)
  })
  await new Promise((resolve) => server.listen(options.page_port, '127.0.0.1', resolve))
  return server.address().port
}

// Calls `work` with a page of the browser, and ends the process.
export async function withPage(work) {
  const port = await serve()
  const browser = await chromium.launch({
    executablePath,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
      '--host-resolver-rules=MAP *.test 127.0.0.1'],
  })
  let code = 0
  try {
    const page = await browser.newPage()
    page.on('console', (message) => console.log(`page: ${message.text()}`))
    await page.goto(`http://${options.page_host}:${port}/`)
    await work(page)
  } catch (failure) {
    console.error(failure)
    code = 1
  }
  await browser.close()
  process.exit(code)
}
