/** A planted bug of the verification: the supervisor dies while functions run, a while after it has said that it listens. */
const { stdout } = process
const write = stdout.write.bind(stdout)
stdout.write = ((...said: Parameters<typeof write>) => {
  stdout.write = write
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), 3_000)
  return write(...said)
}) as typeof stdout.write
