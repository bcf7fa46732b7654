// Simulated subclouds as a process of its own: whatever becomes of the sites, it goes on and remembers.
import { systemClock } from '@godwit/ports'
import { SimulatedSubclouds, startSubcloudServer, subcloudApi } from '@godwit/simulation'

const { url } = await startSubcloudServer(subcloudApi(new SimulatedSubclouds(systemClock), systemClock))
console.log(JSON.stringify({ url }))
// Whoever started it holds the other end: without him there is nobody to simulate for.
process.stdin.resume().once('end', () => process.exit(0))
