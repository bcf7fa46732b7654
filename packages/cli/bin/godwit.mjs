#!/usr/bin/env -S node --max-semi-space-size=8
// A small young generation keeps the process small; it costs nothing that can be measured.
// Plain JavaScript, so that an old Node says what is wrong instead of a syntax error.
if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(
    `godwit: Node ${process.versions.node} is too old: Node 24 or newer is needed (npx godwit in the repository uses the pinned one)`,
  )
  process.exit(2)
}
await import('../src/main.ts')
