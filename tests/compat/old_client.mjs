// A client and callback relay as people wrote them for pi-agent-runner: Node's own fetch and crypto, nothing else.
// Usage: node old_client.mjs <base url> <token> <secret> <relay port>. Prints one JSON object and exits 0.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'

const [base, token, secret, port] = process.argv.slice(2)

const received = new Promise((resolve) => {
  const relay = createServer((request, response) => {
    const parts = []
    request.on('data', (part) => parts.push(part))
    request.on('end', () => {
      // The old relay parsed the body first and signed what it wrote again itself.
      const body = JSON.parse(Buffer.concat(parts).toString('utf8'))
      const timestamp = request.headers['x-runner-timestamp']
      const expected = createHmac('sha256', secret).update(`${timestamp}.${JSON.stringify(body)}`).digest('hex')
      const given = String(request.headers['x-runner-signature'])
      const valid = given.length === expected.length && timingSafeEqual(Buffer.from(given), Buffer.from(expected))
      response.writeHead(valid ? 200 : 401).end()
      relay.close()
      resolve({ event: request.headers['x-runner-event'], valid, body })
    })
  })
  relay.listen(Number(port), '127.0.0.1')
})

const call = async (method, path, body) => {
  const headers = { Authorization: `Bearer ${token}` }
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) })
  return { status: answer.status, body: await answer.json() }
}

const submitted = await call('POST', '/jobs', {
  jobType: 'reminder',
  input: { message: 5, title: 'Čaj ☕', recipient: 'agent-main' },
  priority: 2,
  callbackUrl: `http://127.0.0.1:${port}/callback`,
  metadata: { requestedBy: 'old-client', 10: 'ten', 2: 'two', ratio: 1e-7 },
  scheduleBackend: 'bullmq',
  idempotencyKey: 'old-client-key-1',
})
const callback = await received
const { jobId } = submitted.body
const job = await call('GET', `/jobs/${jobId}`)
const list = await call('GET', '/jobs')
const stats = await call('GET', '/queues/stats')
const removed = await call('DELETE', `/jobs/${jobId}`)
const gone = await call('GET', `/jobs/${jobId}`)

// What repeats.
const repeating = await call('POST', '/jobs', {
  jobType: 'ping',
  input: { n: 1 },
  metadata: { requestedBy: 'old-client' },
  scheduleBackend: 'bullmq',
  schedule: { everySeconds: 3600 },
})
const byCron = await call('POST', '/jobs', {
  jobType: 'reminder',
  input: { message: 'bins' },
  schedule: { cron: '0 9 * * 1-5', tz: 'Asia/Kolkata' },
})
const scheduleId = repeating.body.jobId
const schedules = await call('GET', '/schedules')
const asJob = await call('GET', `/jobs/${scheduleId}`)
const paused = await call('PATCH', `/jobs/${scheduleId}`, { action: 'pause' })
const asPaused = await call('GET', `/jobs/${scheduleId}`)
const resumed = await call('PATCH', `/jobs/${scheduleId}`, { action: 'resume' })
const unscheduled = await call('DELETE', `/jobs/${scheduleId}`)
const left = await call('GET', '/schedules')
const repeats = { repeating, byCron, schedules, asJob, paused, asPaused, resumed, unscheduled, left }
console.log(JSON.stringify({ submitted, callback, job, list, stats, removed, gone, ...repeats }))
