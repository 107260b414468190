/** A planted bug of the verification: the supervisor dies while functions run. */
setTimeout(() => process.kill(process.pid, 'SIGKILL'), 4_000)
