/** Where private keys live between two runs of a server. */
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'

/** Port: small texts (PEM) by name. A written text is durable before `write` resolves. */
export interface KeyStore {
  read(name: string): Promise<string | undefined>
  write(name: string, text: string): Promise<void>
}

/** Keys that die with the process. */
export function memoryKeyStore(): KeyStore {
  const texts = new Map<string, string>()
  return {
    read: async name => texts.get(name),
    write: async (name, text) => {
      texts.set(name, text)
    },
  }
}

const isMissing = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT'

/** One file for each key, readable by the owner alone, replaced atomically. */
export function fileKeyStore(folder: string): KeyStore {
  return {
    async read(name) {
      try {
        return await readFile(join(folder, name), 'utf8')
      } catch (error) {
        if (isMissing(error)) return undefined
        throw error
      }
    },
    async write(name, text) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const fresh = join(folder, `${name}.new`)
      const file = await open(fresh, 'w', 0o600)
      try {
        await file.writeFile(text)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(fresh, join(folder, name))
      await syncFolder(folder)
    },
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The text called `name`, made and kept when there is none yet. */
export async function readOrCreate(
  keys: KeyStore,
  name: string,
  create: () => Promise<string> | string,
): Promise<string> {
  const known = await keys.read(name)
  if (known !== undefined) return known
  const text = await create()
  await keys.write(name, text)
  return text
}
