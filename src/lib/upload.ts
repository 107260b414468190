/** A file that comes with a request. */
export type Upload = {
  name: string
  type: string
  /** Its bytes, as they come: once. */
  bytes: () => AsyncIterable<Uint8Array>
}

const uploads = new WeakSet<object>()

export function makeUpload(upload: Upload): Upload {
  uploads.add(upload)
  return upload
}

/** Whether it came with the request, rather than being JSON that looks like it. */
export function isUpload(value: unknown): value is Upload {
  return typeof value === 'object' && value !== null && uploads.has(value)
}
