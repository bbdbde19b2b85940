import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { createSynodClient } from '../../clients/typescript/src/client.ts'
import { eventually } from '../support/eventually.ts'
import { startDev } from '../support/dev-cluster.ts'
import { busiestLeader, call, json, topicOf } from './api.ts'
import { firstAnomaly, Subscriber } from './subscriber.ts'

/** Real input: 20,000 flights in the order of their dates, as the package `vega-datasets` ships them. */
interface Flight {
  readonly date: string
  readonly delay: number
  readonly distance: number
  readonly origin: string
  readonly destination: string
}

const BATCH_RECORDS = 200

async function readFlights(): Promise<readonly Flight[]> {
  const file = createRequire(import.meta.url).resolve('vega-datasets/data/flights-20k.json')
  return JSON.parse(await readFile(file, 'utf8')) as Flight[]
}
