/** Serves a folder over HTTP until somebody kills it: `node crash-server.ts FOLDER`. Prints its URL when it is ready. */
import { writeSync } from 'node:fs'
import { KubeServer } from '../src/index.ts'

const [folder = ''] = process.argv.slice(2)
const server = await KubeServer.start({ storage: { folder } })
writeSync(1, `${server.url}\n`)
