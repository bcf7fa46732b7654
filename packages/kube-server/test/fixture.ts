import { after, before } from 'node:test'
import { KubeServer, type KubeServerOptions } from '../src/index.ts'
import { Api } from './api.ts'

/** One in-process server for all tests of a file. Read `api` and `server` inside tests only. */
export function inProcess(options: KubeServerOptions = {}, prepare?: (api: Api) => Promise<void>) {
  const fixture = {} as { api: Api; server: KubeServer }
  before(async () => {
    fixture.server = await KubeServer.start({ listen: false, ...options })
    fixture.api = new Api(fixture.server.transport())
    await prepare?.(fixture.api)
  })
  after(() => fixture.server?.stop())
  return fixture
}
