const TEXT = 'x'.repeat(1024)

/** What a produce of so many records of 1 KiB is made of: alone the body is the value, together they are a batch of JSON. */
export function produceLoad(
  topicUrl: string,
  records: number,
): { readonly url: string; readonly body: Buffer; readonly contentType: string } {
  if (records === 1)
    return { url: `${topicUrl}/records`, body: Buffer.from(TEXT), contentType: 'application/octet-stream' }
  const batch = { records: Array.from({ length: records }, () => ({ text: TEXT })) }
  return {
    url: `${topicUrl}/batches`,
    body: Buffer.from(JSON.stringify(batch)),
    contentType: 'application/json',
  }
}
