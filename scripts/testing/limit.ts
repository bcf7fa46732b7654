/**
 * Preloaded into the process of every test file: one that does not end by itself is ended, with what held it open,
 * instead of holding up the whole run in silence.
 */
const limitMs = Number(process.env['GODWIT_TEST_FILE_LIMIT_MS'] ?? 240_000)

setTimeout(() => {
  const held = [...new Set(process.getActiveResourcesInfo())].join(', ')
  console.error(`the file was still running after ${limitMs / 1000} s and was ended; held open by: ${held}`)
  process.exit(1)
}, limitMs).unref()
