// The check of pi-agent-runner's callback relay: it parsed the body first and signed what it wrote again itself.
// Reads one request per line, {"headers": {...}, "body": "<base64>"}, and answers "true" or "false".
// Usage: node old_relay.mjs <secret>
import { createHmac, timingSafeEqual } from 'node:crypto'

const secret = process.argv[2]

const accepts = ({ headers, body }) => {
  const parsed = JSON.parse(Buffer.from(body, 'base64').toString('utf8'))
  const signed = `${headers['x-runner-timestamp']}.${JSON.stringify(parsed)}`
  const expected = createHmac('sha256', secret).update(signed).digest('hex')
  const given = String(headers['x-runner-signature'])
  return given.length === expected.length && timingSafeEqual(Buffer.from(given), Buffer.from(expected))
}

// Not readline: it also ends a line at U+2028.
let rest = ''
process.stdin.setEncoding('utf8')
process.stdin.on('data', (chunk) => {
  const lines = (rest + chunk).split('\n')
  rest = lines.pop()
  for (const line of lines) process.stdout.write(`${accepts(JSON.parse(line))}\n`)
})
