/** The loads: what 16 clients do at once, and what their watchers see. */
import { request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { nextTurn } from '@godwit/ports'
import { RawConnection } from './raw-connection.ts'
import { allMoves, collectionOf, definition, moveAt, namespaces, OBJECTS, pathOf, statusAt } from './widgets.ts'

export const CLIENTS = 16
const PAGE = 500
const jsonType = 'Content-Type: application/json\r\n'
const mergeType = 'Content-Type: application/merge-patch+json\r\n'
/** Coprime with the number of objects: visits all of them, neighbours far apart. */
const STRIDE = 7919

const head = (method: string, path: string, type = '') => `${method} ${path} HTTP/1.1\r\nHost: bench\r\n${type}`

export interface Rate {
  readonly perSecond: number
  readonly count: number
}

/** Runs `step` in 16 clients until the time is up. */
async function rate(port: number, seconds: number, step: Step): Promise<Rate> {
  const connections = await Promise.all(Array.from({ length: CLIENTS }, () => RawConnection.open(port)))
  let next = 0
  let done = 0
  const began = performance.now()
  const end = began + seconds * 1000
  const client = async (connection: RawConnection) => {
    while (performance.now() < end) {
      await step(connection, next++)
      done++
    }
  }
  await Promise.all(connections.map(client))
  const perSecond = done / ((performance.now() - began) / 1000)
  for (const connection of connections) connection.close()
  return { perSecond, count: done }
}

type Step = (connection: RawConnection, index: number) => Promise<void>

async function expect(connection: RawConnection, status: number, start: string, body?: string): Promise<void> {
  const answer = await connection.request(start, body)
  if (answer.status !== status) throw new Error(`${start.split('\r')[0]}: ${answer.status} ${answer.body}`)
}

/** The definition and 10,000 objects, which are what is counted. */
export async function fill(port: number): Promise<Rate> {
  const one = await RawConnection.open(port)
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  await expect(one, 201, head('POST', definitions, jsonType), JSON.stringify(definition))
  for (const namespace of namespaces)
    await expect(one, 201, head('POST', '/api/v1/namespaces', jsonType), JSON.stringify(namespace))
  while ((await one.request(head('GET', `${allMoves}?limit=1`))).status !== 200);
  one.close()
  const began = performance.now()
  let next = 0
  const client = async () => {
    const connection = await RawConnection.open(port)
    while (next < OBJECTS) {
      const index = next++
      const body = JSON.stringify(moveAt(index))
      await expect(connection, 201, head('POST', collectionOf(index), jsonType), body)
    }
    connection.close()
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
  return { perSecond: OBJECTS / ((performance.now() - began) / 1000), count: OBJECTS }
}

/** Size of one object as the server shows it, in bytes. */
export async function objectBytes(port: number): Promise<number> {
  const connection = await RawConnection.open(port)
  const { body } = await connection.request(head('GET', pathOf(0)))
  connection.close()
  return body.length
}

export function gets(port: number, seconds: number): Promise<Rate> {
  return rate(port, seconds, (connection, index) =>
    expect(connection, 200, head('GET', pathOf((index * STRIDE) % OBJECTS))),
  )
}

export function statusPatches(port: number, seconds: number): Promise<Rate> {
  return rate(port, seconds, patchStatus(freshStep()))
}

/** A number that no load before this one has reached: a status that is there already makes no event. */
const freshStep = () => Math.floor(performance.now() * 1000)

function patchStatus(firstStep: number): Step {
  return (connection, index) => {
    const start = head('PATCH', `${pathOf((index * STRIDE) % OBJECTS)}/status`, mergeType)
    return expect(connection, 200, start, JSON.stringify(statusAt(firstStep + index)))
  }
}

/** Writes that may be ahead of the watchers: a server cuts off watchers that stay behind for long. */
const WRITES_AHEAD = 4 * CLIENTS
const PATIENCE_MS = 30_000

export interface FanOut {
  readonly events: Rate
  readonly writes: Rate
}

/** Status patches by 16 clients while `watchers` watch the whole collection; no faster than all of them can read. */
export async function fanOut(port: number, seconds: number, watchers: number): Promise<FanOut> {
  let seen = 0
  let written = 0
  const note = (count: number) => {
    seen += count
  }
  const { metadata } = JSON.parse(await text(port, `${allMoves}?limit=1`))
  const opening = Array.from({ length: watchers }, () => watch(port, metadata.resourceVersion, note))
  const sockets = await Promise.all(opening)
  const began = performance.now()
  const patch = patchStatus(freshStep())
  const caughtUp = async (isCaughtUp: () => boolean) => {
    const end = performance.now() + PATIENCE_MS
    while (!isCaughtUp()) {
      if (performance.now() > end) throw new Error(`${seen} events of ${written} writes reached ${watchers} watchers`)
      await nextTurn()
    }
  }
  const writes = await rate(port, seconds, async (connection, index) => {
    await patch(connection, index)
    written++
    await caughtUp(() => seen >= (written - WRITES_AHEAD) * watchers)
  })
  await caughtUp(() => seen === written * watchers)
  const perSecond = seen / ((performance.now() - began) / 1000)
  for (const socket of sockets) socket.destroy()
  return { events: { perSecond, count: seen }, writes }
}

const newline = 0x0a
const carriageReturn = 0x0d

/** Resolves once the watch has begun. Lines that end an event end in a bare newline, lines of the framing do not. */
function watch(port: number, after: string, onEvents: (count: number) => void): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let previous = 0
    socket.on('error', reject)
    socket.on('data', chunk => {
      resolve(socket)
      let count = 0
      for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, at + 1))
        if ((at > 0 ? chunk[at - 1] : previous) !== carriageReturn) count++
      previous = chunk.at(-1) ?? previous
      onEvents(count)
    })
    socket.write(`${head('GET', `${allMoves}?watch=1&resourceVersion=${after}`)}\r\n`)
  })
}

/** Reads the whole list page by page, `rounds` times; resolves with milliseconds for each. */
export async function listInPages(port: number, rounds: number): Promise<number> {
  const began = performance.now()
  for (let round = 0; round < rounds; round++) {
    let token = ''
    let count = 0
    do {
      const query = token === '' ? '' : `&continue=${encodeURIComponent(token)}`
      const list = JSON.parse(await text(port, `${allMoves}?limit=${PAGE}${query}`))
      count += list.items.length
      token = list.metadata.continue ?? ''
    } while (token !== '')
    if (count !== OBJECTS) throw new Error(`listed ${count} of ${OBJECTS}`)
  }
  return (performance.now() - began) / rounds
}

/** Reads the whole list in one answer. */
export async function listAtOnce(port: number, rounds: number): Promise<number> {
  const began = performance.now()
  for (let round = 0; round < rounds; round++) await text(port, allMoves)
  return (performance.now() - began) / rounds
}

function text(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port, host: '127.0.0.1', path }, response => {
      let body = ''
      response.setEncoding('utf8').on('data', chunk => {
        body += chunk
      })
      response.on('end', () => (response.statusCode === 200 ? resolve(body) : reject(new Error(body))))
    })
    request.on('error', reject)
    request.end()
  })
}
