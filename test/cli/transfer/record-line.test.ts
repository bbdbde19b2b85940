import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CommandError } from '../../../src/cli/exit-codes.ts'
import { recordOfLine } from '../../../src/cli/transfer/record-line.ts'

const KEPT = { partitionCount: 4, isAnew: false }

describe('recordOfLine', () => {
  test('keeps the source of what a batch takes and leaves out where the record was', () => {
    const line =
      '{"topic":"t","partition":2,"offset":7,"timestamp":"2026-01-31T12:00:00.000Z","key":"k","value":{"n": 12345678901234567890},"headers":{"a":"b"}}'
    assert.deepEqual(recordOfLine(line, 1, KEPT), {
      lineNumber: 1,
      partition: 2,
      bytes: line.length,
      body: '{"key":"k","value":{"n": 12345678901234567890},"headers":{"a":"b"},"timestamp":"2026-01-31T12:00:00.000Z","partition":2}',
    })
  })

  test('makes a request by itself of a record with a content type', () => {
    const { body } = recordOfLine(
      '{"partition":0,"key":"k","base64":"AP8=","contentType":"image/ü","headers":{"a":"é"}}',
      1,
      KEPT,
    )
    assert.deepEqual(body, {
      key: 'k',
      value: Buffer.from([0, 255]),
      headers: {
        'content-type': Buffer.from('image/ü').toString('latin1'),
        'record-header-a': Buffer.from('é').toString('latin1'),
      },
    })
  })

  test('places by key or in turns what names no partition, and everything when asked to', () => {
    const places = (line: string, isAnew: boolean): number[] =>
      [1, 2, 3, 4, 5].map((number) => recordOfLine(line, number, { partitionCount: 4, isAnew }).partition)
    assert.deepEqual(places('{"text":"a"}', false), [0, 1, 2, 3, 0])
    const [place = -1, ...others] = places('{"key":"somebody","text":"a","partition":1}', true)
    assert.ok(others.every((other) => other === place))
    assert.equal(
      recordOfLine('{"key":"somebody","partition":77}', 1, { partitionCount: 4, isAnew: true }).partition,
      place,
    )
  })

  test('refuses what is no record, with the number of the line', () => {
    for (const [line, why] of [
      ['{"text":', /^Line 3 is not JSON\.$/],
      ['[1]', /^Line 3 is no object\.$/],
      ['{"problem":{"status":410}}', /^Line 3 is a problem/],
      ['{"txt":"a"}', /^Line 3 has a field 'txt'\.$/],
      ['{"text":"a","partition":4}', /^Line 3 names the partition 4, and the topic has 4\.$/],
      ['{"contentType":"text/plain"}', /^Line 3 has a contentType/],
    ] as const)
      assert.throws(
        () => recordOfLine(line, 3, KEPT),
        (error) => error instanceof CommandError && why.test(error.message),
        line,
      )
  })
})
