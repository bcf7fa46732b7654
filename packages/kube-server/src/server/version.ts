/** The version of Kubernetes whose behaviour this server follows; kubectl dispatchers pick their binary by it. */
export const versionInfo = Object.freeze({
  major: '1',
  minor: '32',
  gitVersion: 'v1.32.0+godwit',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: 'node',
  platform: `${process.platform}/${process.arch}`,
})
