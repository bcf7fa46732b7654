/** Liveness, readiness and metrics of a process over plain HTTP, for kubelets and Prometheus. */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '@godwit/ports'

export interface ProbeOptions {
  /** 0: any free one. */
  readonly port: number
  /** All addresses unless told. */
  readonly host?: string
  readonly clock: Clock
  /** @returns what is wrong; undefined: the process can do its work. Asked again after a few seconds only. */
  readonly notReady: () => Promise<string | undefined>
  readonly metrics: () => string | Promise<string>
}

export interface ProbeServer {
  readonly port: number
  stop(): Promise<void>
}

const READY_FOR_MS = 3_000

export async function startProbes({ port, host, clock, notReady, metrics }: ProbeOptions): Promise<ProbeServer> {
  let known: { readonly atMs: number; readonly answer: Promise<string | undefined> } | undefined
  const readiness = () => {
    if (!known || clock.now() - known.atMs > READY_FOR_MS) known = { atMs: clock.now(), answer: asked(notReady) }
    return known.answer
  }
  const server = createServer(async ({ method, url = '' }, response) => {
    const path = url.split('?')[0]
    if (method !== 'GET') return answer(response, 405, 'only GET\n')
    if (path === '/healthz') return answer(response, 200, 'ok\n')
    if (path === '/metrics') return await measured(response, metrics)
    if (path !== '/readyz') return answer(response, 404, 'there are /healthz, /readyz and /metrics\n')
    const problem = await readiness()
    return answer(response, problem === undefined ? 200 : 503, `${problem ?? 'ok'}\n`)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, ...(host !== undefined && { host }) }, () => resolve())
  })
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function asked(notReady: ProbeOptions['notReady']): Promise<string | undefined> {
  try {
    return await notReady()
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

async function measured(response: ServerResponse, metrics: ProbeOptions['metrics']): Promise<void> {
  try {
    answer(response, 200, await metrics())
  } catch (error) {
    answer(response, 503, `${error instanceof Error ? error.message : String(error)}\n`)
  }
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
  response.end(text)
}
