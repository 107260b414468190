export type Seen = { rows: number /** Of 1, null where the end is not known. */; part: number | null; ms: number }

const number = new Intl.NumberFormat('en')

export function count(rows: number): string {
  return `${number.format(rows)} ${rows === 1 ? 'row' : 'rows'}`
}

/** `12,000 rows, 45 %, 8,000 rows/s`. */
export function describeProgress({ rows, part, ms }: Seen): string {
  const speed = `${number.format(Math.round(rows / Math.max(ms / 1000, 0.001)))} rows/s`
  return [count(rows), ...(part === null ? [] : [`${Math.floor(part * 100)} %`]), speed].join(', ')
}

/** Shows how far something is on the error stream: in place on a terminal, otherwise a line now and then. */
export function openProgress(read: () => Omit<Seen, 'ms'>): { close: (last: string) => void } {
  const { stderr } = process
  const begun = performance.now()
  const text = () => describeProgress({ ...read(), ms: performance.now() - begun })
  const show = () => stderr.write(stderr.isTTY ? `\r\x1b[2K${text()}` : `${text()}\n`)
  const timer = setInterval(show, stderr.isTTY ? 200 : 5_000)
  return {
    close: (last) => {
      clearInterval(timer)
      stderr.write(`${stderr.isTTY ? '\r\x1b[2K' : ''}${last} (${text()})\n`)
    },
  }
}
