/** Requests over the network. Time-outs are the caller's, by its signal. */
import type { HttpExchange } from '../http/exchange.ts'
import { socketExchange } from '../http/socket-exchange.ts'

export const fetchExchange: HttpExchange = socketExchange()
